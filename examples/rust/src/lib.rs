// SPDX-License-Identifier: Apache-2.0
//! Equiconv in Rust, on its C interface: a trained network that is one file, and what a first program needs.
//!
//! ```no_run
//! let network = equiconv::Network::open("digits.safetensors", equiconv::Mode::Exact)?;
//! let scores = network.run(&[1, 1, 28, 28], &vec![0f32; 28 * 28])?;
//! # Ok::<(), equiconv::Error>(())
//! ```
//!
//! Each call gets its own status and message, so that tasks may move between threads.

mod error;
mod group;
mod network;
mod raw;

pub use error::Error;
pub use group::{Group, Signal};
pub use network::{Array, Mode, Network, Scalar};
