// SPDX-License-Identifier: Apache-2.0
//! A first program in Rust: lift an image to the group of quarter turns, and see that turning the image turns the
//! result, to the last bit.
//!
//!     cargo run --release --example first

use equiconv::{Error, Group, Signal};
use std::process::ExitCode;

const SIZE: usize = 5;
const ELEMENTS: usize = 4;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn run() -> Result<bool, Error> {
    let c4 = Group::cyclic(ELEMENTS)?;
    let image: Vec<f32> = (0..SIZE * SIZE).map(|i| (i * i % 7) as f32 / 3.0).collect();
    let weight = [0.1, -0.2, 0.3, 0.7, 0.5, -0.4, 0.2, 0.9, -0.6];
    let lifted = c4.lift(SIZE, &image, &weight, 1)?;
    let mut equal = true;
    for g in 0..ELEMENTS {
        let left = c4.lift(SIZE, &c4.act(g, Signal::Plane, SIZE, &image)?, &weight, 1)?;
        let right = c4.act(g, Signal::Group, SIZE, &lifted)?;
        let same = bits(&left) == bits(&right);
        println!("turned by {:3} degrees: {}", g * 90, if same { "equal to the last bit" } else { "DIFFERENT" });
        equal &= same;
    }
    // A wrong call says what is wrong.
    if let Err(error) = c4.lift(SIZE, &image, &weight, 0) {
        println!("{error}");
    }
    Ok(equal)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
