//! `cargo xtask simulate`: the client, as it ships, in the simulated browser of tests/simulation.

use crate::live;
use crate::report::Tally;
use crate::workspace::cargo;
use anyhow::{Context as _, Result, bail};
use std::process::Command;

/// Schedules of each flavour in every run of the tests.
const BOUNDED: &str = "20000";
/// The flavours that ship: with everything, and with what every application needs.
const FLAVOURS: &[&[&str]] = &[&[], &["--no-default-features"]];

/// `cargo xtask simulate [--seeds N] [--from N]`.
pub fn run(arguments: &[String]) -> Result<bool> {
    let (mut seeds, mut from) = ("20000", "0");
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--seeds" => seeds = value,
            [name, value] if name == "--from" => from = value,
            _ => bail!("usage: cargo xtask simulate [--seeds N] [--from N]"),
        }
    }
    for flavour in FLAVOURS {
        let status = schedules(flavour, seeds, from).status().context("cargo")?;
        if !status.success() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The suite: a bounded number of schedules of each flavour.
pub fn suite(tally: &mut Tally) -> Result<()> {
    for flavour in FLAVOURS {
        live::check(&mut schedules(flavour, BOUNDED, "0"), tally)?;
    }
    Ok(())
}

fn schedules(flavour: &[&str], seeds: &str, from: &str) -> Command {
    let mut command = cargo();
    command
        .args([
            "run",
            "--quiet",
            "--release",
            "-p",
            "simulation",
            "--bin",
            "simulate",
        ])
        .args(flavour)
        .args(["--", seeds, from]);
    command
}
