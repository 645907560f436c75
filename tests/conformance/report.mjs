// Judges what the suite left behind: one line a scenario, then totals; exits 1 on any failure.
//
//   report.mjs RESULTS OFFERS
//
// RESULTS/SERVER/VERSION holds the file `scenarios`, what had to be run, and a folder for each that was.
// OFFERS is what the product offers; the fixtures offer everything.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const [results, offers] = process.argv.slice(2);

// The suite skips it as a whole until it is rewritten; anything else must have shown something.
const EMPTY = ['tasks-status-notifications'];

// What the suite calls a failure where the product has no fixture, or rightly refuses a method.
function doesNotApply(server, { errorMessage = '' }) {
    if (server !== 'product') return false;
    const refused = errorMessage.match(/^(prompts|resources)\/\S+ returned JSON-RPC error -32601/);
    return errorMessage.startsWith('Not testable') || (refused && !offers.split(' ').includes(refused[1]));
}

// The checks of every scenario in a folder, by name; a folder is named server-NAME-TIME.
function scenarios(folder) {
    const found = new Map();
    for (const name of readFileSync(`${folder}/scenarios`, 'utf8').split('\n').filter(Boolean)) {
        found.set(name, []);
    }
    for (const run of readdirSync(folder, { withFileTypes: true }).filter((it) => it.isDirectory())) {
        const name = run.name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\dZ-]+$/, '');
        const file = `${folder}/${run.name}/checks.json`;
        found.set(name, existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []);
    }
    return found;
}

let failed = false;
const totals = [];
for (const server of ['product', 'fixtures'].filter((it) => existsSync(`${results}/${it}`))) {
    for (const version of readdirSync(`${results}/${server}`, { withFileTypes: true })
        .filter((it) => it.isDirectory()).map((it) => it.name).sort()) {
        const total = { passed: 0, failed: 0, other: 0 };
        for (const [name, checks] of scenarios(`${results}/${server}/${version}`)) {
            const passed = checks.filter((it) => it.status === 'SUCCESS').length;
            const failures = checks
                .filter((it) => it.status === 'FAILURE' && !doesNotApply(server, it))
                .map((it) => `${it.id}: ${it.errorMessage}`);
            const warnings = checks
                .filter((it) => it.status === 'WARNING')
                .map((it) => `warning: ${it.id}: ${it.errorMessage}`);
            if (passed + failures.length === 0 && !EMPTY.includes(name)) failures.push('nothing was checked');
            total.passed += passed;
            total.failed += failures.length;
            total.other += Math.max(0, checks.length - passed - failures.length);
            const word = failures.length ? 'FAIL' : passed ? 'ok  ' : 'skip';
            console.log(`${word}  ${server}  ${version}  ${name}: ${passed} passed`);
            for (const detail of [...failures, ...warnings]) console.log(`      ${detail.slice(0, 400)}`);
        }
        failed ||= total.failed > 0 || total.passed === 0;
        totals.push(`${server} ${version}: ${total.passed} passed, ${total.failed} failed, ${total.other} do not apply`);
    }
}
console.log(totals.join('\n'));
process.exit(failed || totals.length === 0 ? 1 : 0);
