// SPDX-License-Identifier: Apache-2.0
//! Tells the linker where pkg-config finds the installed library.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    let found = Command::new("pkg-config").args(["--variable=libdir", "equiconv"]).output();
    match found {
        Ok(output) if output.status.success() => {
            println!("cargo:rustc-link-search=native={}", String::from_utf8_lossy(&output.stdout).trim());
        }
        Ok(output) => panic!("pkg-config: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => panic!("pkg-config could not be run: {error}"),
    }
}
