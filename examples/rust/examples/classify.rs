// SPDX-License-Identifier: Apache-2.0
//! Classifies an image, binary PGM or PPM on standard input, by a network that is one file.
//!
//!     pngtopnm image.png | cargo run --release --example classify -- network.safetensors

use equiconv::{Mode, Network};
use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;

/// The shape (1, channels, rows, columns) of an image, and its planes of numbers from 0 to 255.
fn read_planes(bytes: &[u8]) -> Result<([usize; 4], Vec<f32>), Box<dyn Error>> {
    let mut words = bytes.splitn(5, u8::is_ascii_whitespace);
    let mut next = || words.next().ok_or("expected a binary PGM or PPM of 8 bits, without comments");
    let channels = match next()? {
        b"P5" => 1,
        b"P6" => 3,
        other => return Err(format!("the image begins with {other:?}, expected P5 or P6").into()),
    };
    let mut number = || -> Result<usize, Box<dyn Error>> { Ok(std::str::from_utf8(next()?)?.parse()?) };
    let (columns, rows, most) = (number()?, number()?, number()?);
    let pixels = next()?;
    let plane = rows.checked_mul(columns).ok_or("the image is too large")?;
    if most != 255 || Some(pixels.len()) != plane.checked_mul(channels) {
        return Err("the image is cut short, or not of 8 bits".into());
    }
    let planes = (0..channels * plane).map(|i| f32::from(pixels[i % plane * channels + i / plane])).collect();
    Ok(([1, channels, rows, columns], planes))
}

fn run() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: classify NETWORK <IMAGE.ppm")?;
    let network = Arc::new(Network::open(path, Mode::Fast)?);
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let (shape, image) = read_planes(&bytes)?;
    let scores = network.run(&shape, &image)?.swap_remove(0).numbers;
    // Threads share the network, and get the same bits.
    let shared = Arc::clone(&network);
    let again = std::thread::spawn(move || shared.run(&shape, &image)).join().map_err(|_| "a thread panicked")??;
    if again[0].numbers.iter().map(|x| x.to_bits()).ne(scores.iter().map(|x| x.to_bits())) {
        return Err("another thread got other bits".into());
    }
    let classes = network.classes(0);
    for (number, score) in scores.iter().enumerate() {
        println!("{:<12} {score:.8e}", classes.get(number).map_or("", String::as_str));
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
