#!/usr/bin/env python3
"""Holds what no compiler reads: the manifests, and the YAML that docs/operate.md shows.

What they say of settings, options and times is held against the program in tests/it/docs.rs.
"""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
MANIFESTS = ROOT / "packaging" / "kubernetes"
problems = []


def hold(what, said):
    if not what:
        problems.append(said)


def load(name, text):
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        problems.append(f"{name}: {error}")
        return {}


files = {it.name: load(it.name, it.read_text()) for it in sorted(MANIFESTS.glob("*.yaml"))}
applied = set(files["kustomization.yaml"]["resources"])
left_out = {"kustomization.yaml", "secret.example.yaml"}
hold(applied == files.keys() - left_out, "kustomization.yaml does not list what is there")

for name, manifest in files.items():
    if name != "kustomization.yaml":
        hold(manifest["metadata"]["name"] == "qfpay-mcp", f"{name}: another name")
        hold("namespace" not in manifest["metadata"], f"{name}: it names a namespace")
    for value in manifest.get("stringData", {}).values():
        hold("replace-me" in value, f"{name}: that looks like a real secret")

pod = files["deployment.yaml"]["spec"]["template"]["spec"]
(container,) = pod["containers"]
ports = {it["name"]: it["containerPort"] for it in container["ports"]}
hold(f"--admin=0.0.0.0:{ports['admin']}" in container["args"], "the admin port is another")
hold(f"--bind=0.0.0.0:{ports['http']}" in container["args"], "the port is another")
for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
    # The main port answers 403 to a node.
    hold(container[probe]["httpGet"]["port"] == "admin", f"{probe} is not on the admin port")
hold(container["securityContext"]["readOnlyRootFilesystem"], "the root can be written to")
hold(container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, "it has capabilities")
hold(pod["securityContext"]["runAsNonRoot"], "it may run as root")
(mount,) = container["volumeMounts"]
secret = files["secret.example.yaml"]["stringData"]
for variable, value in files["config.yaml"]["data"].items():
    if variable.endswith("_FILE"):
        folder, _, file = value.rpartition("/")
        hold(folder == mount["mountPath"] and file in secret, f"{variable}: no such file")

guide = (ROOT / "docs" / "operate.md").read_text()
for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL):
    load("docs/operate.md", block)

for problem in problems:
    print(f"packaging: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
