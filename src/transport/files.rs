//! How many files the process may have open, of which each connection is one.

/// Lets the process open as many as the system allows it. For `main`; the rest takes what there is.
#[cfg(unix)]
pub fn open_as_many_as_may_be() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::debug!(%error, "could not raise the limit of open files");
    }
}

#[cfg(not(unix))]
pub fn open_as_many_as_may_be() {}

/// How many connections may be open, at most `wanted`: half of the files, for the rest has its own.
#[cfg(unix)]
pub(super) fn connections(wanted: usize) -> usize {
    use nix::sys::resource::{Resource, getrlimit};
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(files, _)| files);
    let most = usize::try_from(files / 2).unwrap_or(usize::MAX);
    if most < wanted {
        tracing::warn!(most, wanted, "few connections: raise the limit of open files");
    }
    most.min(wanted)
}

#[cfg(not(unix))]
pub(super) fn connections(wanted: usize) -> usize {
    wanted
}
