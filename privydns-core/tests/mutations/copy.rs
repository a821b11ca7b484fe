//! A copy of the workspace's sources for mutations.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) struct Copy(PathBuf);

/// Folders and files that are not copied, by name.
const PASSED_OVER: [&str; 4] = ["target", "corpus", "artifacts", "coverage"];

impl Copy {
    /// Restores the copy. Unchanged files keep their modification time, so that they are not built again.
    pub(super) fn of_the_workspace() -> Self {
        let copy = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mutations"));
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace's folder");
        bring(workspace, &copy.0.join("sources"));
        copy
    }

    pub(super) fn crate_folder(&self) -> PathBuf {
        self.0.join("sources/privydns-core")
    }

    /// The build folder.
    pub(super) fn target(&self) -> PathBuf {
        self.0.join("target")
    }
}

fn bring(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder in the copy");
    // A file that was moved in the workspace would be a second file for the same module.
    for entry in fs::read_dir(to).expect("a folder of the copy") {
        let path = entry.expect("an entry").path();
        if !from.join(path.file_name().unwrap_or_default()).exists() {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.expect("a file that can be removed from the copy");
        }
    }
    for entry in fs::read_dir(from).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        let text = name.to_string_lossy();
        if path.is_dir() {
            if !text.starts_with('.') && !PASSED_OVER.contains(&&*text) {
                bring(&path, &to.join(name));
            }
        } else {
            let source = fs::read(&path).expect("a file of the workspace");
            if fs::read(to.join(name)).ok().as_ref() != Some(&source) {
                fs::write(to.join(name), source).expect("a file in the copy");
            }
        }
    }
}
