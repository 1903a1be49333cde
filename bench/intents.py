#!/usr/bin/env python3
"""The intent classifier on public data, which is not part of this project.

    bench/intents.py PAYOPS DATA [--seeds N]

PAYOPS is the program, DATA a folder with banking77/train.csv (PolyAI-LDN/task-specific-datasets)
and clinc150/train_val.json (clinc/oos-eval). What is absent is skipped. Banking77: of each intent
a tenth is held out, drawn anew for each seed; trained on the rest, tested on the tenth. CLINC150:
trained on `train`, the threshold from `oos_train`, tested on `val` and `oos_val`.
"""

import argparse
import csv
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path


def write(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("text", "category"), *rows])


def measure(program, folder, name, seed, train, test, oos=None):
    data, held_out, model = folder / "train.csv", folder / "test.csv", folder / "model"
    write(data, train)
    write(held_out, test)
    command = [program, "intents", "train", "--data", data, "--model", model, "--seed", str(seed)]
    if oos:
        write(folder / "oos.csv", oos)
        command += ["--oos", folder / "oos.csv"]
    begun = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    taken = time.monotonic() - begun
    said = json.loads(subprocess.run(
        [program, "intents", "evaluate", "--model", model, "--data", held_out, "--json"],
        check=True, capture_output=True).stdout)
    print(f"{name} seed {seed}: accuracy {100 * said['accuracy']:.2f} %, "
          f"macro F1 {100 * said['macro_f1']:.2f} %, oos recall {100 * said['oos_recall']:.1f} %, "
          f"ECE {100 * said['ece']:.2f} %, p50 {said['p50_us']:.1f} us, p99 {said['p99_us']:.1f} "
          f"us, trained in {taken:.1f} s", flush=True)
    return said


def tenths(rows, seed):
    """Every intent's messages, shuffled; the first tenth for testing, the rest for training."""
    by_intent, draw = {}, random.Random(seed)
    for text, intent in rows:
        by_intent.setdefault(intent, []).append((text, intent))
    train, test = [], []
    for intent in sorted(by_intent):
        messages = by_intent[intent][:]
        draw.shuffle(messages)
        cut = round(len(messages) / 10)
        test += messages[:cut]
        train += messages[cut:]
    draw.shuffle(train)
    return train, test


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("payops")
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    banking = options.data / "banking77/train.csv"
    clinc = options.data / "clinc150/train_val.json"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if banking.exists():
            with open(banking, newline="") as file:
                rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
            shares = [measure(options.payops, folder, "banking77", seed, *tenths(rows, seed))
                      for seed in range(1, options.seeds + 1)]
            print(f"banking77: mean accuracy "
                  f"{100 * sum(s['accuracy'] for s in shares) / len(shares):.2f} %")
        else:
            print(f"skipped: there is no {banking}")
        if clinc.exists():
            parts = json.loads(clinc.read_text())
            said = measure(options.payops, folder, "clinc150", 1, parts["train"],
                           parts["val"] + parts["oos_val"], parts["oos_train"])
            print(f"clinc150: accuracy + oos recall = "
                  f"{100 * (said['accuracy'] + said['oos_recall']):.1f} points")
        else:
            print(f"skipped: there is no {clinc}")


if __name__ == "__main__":
    main()
