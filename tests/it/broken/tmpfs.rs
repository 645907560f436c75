//! A small disk in memory, which can be filled. Only root may mount one.
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::Command,
};

use tempfile::TempDir;

pub(super) struct Tmpfs {
    folder: TempDir,
}

impl Tmpfs {
    /// Whether there can be one; says so where there cannot.
    pub(super) fn or_skip() -> bool {
        let root = fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
        if root && Self::mount().is_ok() {
            return true;
        }
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        // Not `eprintln!`, which is shown only where a test fails.
        let _ = writeln!(io::stderr(), "skipped: {test}: no disk can be mounted here");
        false
    }

    pub(super) fn new() -> Self {
        Self::mount().unwrap()
    }

    fn mount() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mount = ["-t", "tmpfs", "-o", "size=4m", "qfpay-test"];
        let done = Command::new("mount").args(mount).arg(folder.path()).output()?;
        if done.status.success() {
            Ok(Self { folder })
        } else {
            Err(io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned()))
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves not a byte.
    pub(super) fn fill(&self) {
        let mut filler = fs::File::create(self.path().join("filler")).unwrap();
        for size in [4096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub(super) fn make_room(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

/// What is still open in it keeps it alive unseen until that is closed.
impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).output();
    }
}
