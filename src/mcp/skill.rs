//! The skill that the server brings (SEP-2640): how to take payments, in words for agents. The same
//! file is a plain skill, too.
use std::sync::LazyLock;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CacheScope, GetSkillResult, ListSkillsResult, Skill, SkillFrontmatter, SkillResource,
        SkillResources,
    },
    service::RequestContext,
};

use super::{
    principal::{Scope, scopes_of},
    server::{LIST_TTL_MS, cache_of},
};
use crate::client::response::cleaned;

pub const TEXT: &str = include_str!("../../skill.md");
pub(super) const URI: &str = "skill://qfpay-payments/SKILL.md";

static SKILL: LazyLock<Skill> = LazyLock::new(|| {
    let mut front = SkillFrontmatter::new("", "");
    // The lines between the first two `---`, each `key: value`.
    for (key, value) in TEXT.lines().skip(1).map_while(|it| it.split_once(": ")) {
        match key {
            "name" => value.clone_into(&mut front.name),
            "description" => value.clone_into(&mut front.description),
            _ => front = front.with_field(key, value),
        }
    }
    let file = SkillResource::from_bytes(URI, TEXT.as_bytes());
    Skill::new(URI, front, SkillResources::Files(vec![file]))
});

pub(super) fn name() -> &'static str {
    &SKILL.frontmatter.name
}

pub(super) fn description() -> &'static str {
    &SKILL.frontmatter.description
}

/// The skill, for whoever may read it.
pub(super) fn list(context: &RequestContext<RoleServer>) -> ListSkillsResult {
    let may = scopes_of(context).has(Scope::Read);
    let skills = if may { vec![SKILL.clone()] } else { Vec::new() };
    let listed = ListSkillsResult { skills, ..ListSkillsResult::default() };
    listed.with_ttl_ms(LIST_TTL_MS).with_cache_scope(cache_of(context))
}

pub(super) fn get(uri: &str) -> Result<GetSkillResult, ErrorData> {
    if uri != URI {
        let text = format!("there is no skill {}; there is {URI}", cleaned(uri));
        return Err(ErrorData::invalid_params(text, None));
    }
    let got = GetSkillResult::new(SKILL.clone());
    Ok(got.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Public))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skill_is_valid_and_named_after_its_folder() {
        SKILL.validate().unwrap();
        assert!(SKILL.frontmatter.description.starts_with("Take, follow and refund"));
        assert!(get("skill://other/SKILL.md").is_err());
    }
}
