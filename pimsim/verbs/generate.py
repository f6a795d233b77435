"""``pimsim generate [HARDWARE] WORKLOAD``."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.progress import Progress

from pimsim.config.workload import WorkloadSpec
from pimsim.errors import RequestError
from pimsim.functional.checkpoint import Gpt2Checkpoint
from pimsim.functional.generate import Generation, generate
from pimsim.functional.weights import RandomWeights, Weights, random_prompt
from pimsim.simulation import resolve
from pimsim.verbs.generate_folder import is_hub, run_folder, token_ids
from pimsim.verbs.options import Json, Quiet
from pimsim.verbs.output import Output
from pimsim.workload.model import DecoderModel

MOST_SHOWN = 64
DEFAULT_HARDWARE = "pim_gpt"


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("generate")(run)


def run(
    names: list[str] = typer.Argument(
        metavar="[HARDWARE] WORKLOAD", help="shipped names, paths, or a hub folder as WORKLOAD; without HARDWARE it is pim_gpt"
    ),
    hardware_option: str | None = typer.Option(None, "--hardware", help="as HARDWARE", hidden=True),
    weights: str | None = typer.Option(
        None, "--weights", help="safetensors file, or a folder with shards; default: those beside config.json, else random"
    ),
    prompt_ids: str | None = typer.Option(None, "--prompt-ids", help="token ids, as 1,2,3; default: random ones"),
    encoder_ids: str | None = typer.Option(None, "--encoder-ids", help="token ids of an encoder-decoder's input, as 1,2,3"),
    logits: str | None = typer.Option(
        None, "--logits", metavar="FILE.npz", help="also write the logits after every token: float64, device"
    ),
    decoding: str | None = typer.Option(None, "--decoding", metavar="FILE", help="YAML file of a decoding strategy"),
    tokens: int | None = typer.Option(None, "--tokens", help="tokens to generate; default: the workload's"),
    numerics: str = typer.Option("exact", "--numerics", help="exact, or asic: its Taylor series and Newton steps"),
    seed: int = typer.Option(0, "--seed", min=0, help="of random weights and prompt"),
    json_file: Json = None,
    quiet: Quiet = False,
    references: bool = typer.Option(True, "--references/--no-references", help="compare with NumPy models of the same tokens"),
    settings: list[str] = typer.Option([], "--set", help="path=value, as pim.accumulate=bf16 or workload.model.layers=1"),
) -> None:
    """Generate tokens on real numbers through the very programs that are timed; ids, cycles, energy and numerical errors."""
    hardware, workload = _hardware_and_workload(names, hardware_option)
    if is_hub(workload):
        prompt = None if prompt_ids is None else token_ids("--prompt-ids", prompt_ids)
        encoder = None if encoder_ids is None else token_ids("--encoder-ids", encoder_ids)
        run_folder(
            workload,
            weights,
            prompt,
            encoder,
            tokens,
            seed,
            Output(json_file, quiet),
            logits,
            decoding,
            (hardware, settings, numerics),
        )
        return
    if logits is not None or encoder_ids is not None or decoding is not None:
        raise RequestError(f"--logits, --encoder-ids and --decoding need a hub folder; '{workload}' is none")
    device, spec = resolve(hardware, workload, settings)
    output = Output(json_file, quiet)
    source = _weights(spec, weights, seed)
    prompt = _prompt(spec, prompt_ids, seed)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("generating")
        generation = generate(
            device, spec, source, prompt, tokens, numerics,
            references=references, progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    output.document(generation.to_dict())
    output.console.print("\n".join(_lines(generation)), markup=False)
    if references and not generation.references:
        output.console.print(
            "no NumPy model beside it: only GPT-2's tensors have one here; hub folders have a float64 model of any family"
        )


def _hardware_and_workload(names: list[str], option: str | None) -> tuple[str, str]:
    if len(names) > 2 or (len(names) == 2 and option is not None):
        raise RequestError(f"generate takes HARDWARE and WORKLOAD, or WORKLOAD alone; given: {' '.join(names)}")
    return (names[0], names[1]) if len(names) == 2 else (option or DEFAULT_HARDWARE, names[0])


def _weights(spec: WorkloadSpec, path: str | None, seed: int) -> Weights:
    return RandomWeights(seed) if path is None else Gpt2Checkpoint(path, DecoderModel(spec.model))


def _prompt(spec: WorkloadSpec, text: str | None, seed: int) -> list[int]:
    if text is None:
        tokens = spec.request.prompt_tokens
        if not isinstance(tokens, int):
            raise RequestError(
                f"{spec.name}: prompts of several lengths (request.prompt_tokens): generate takes one, --prompt-ids"
            )
        return random_prompt(DecoderModel(spec.model), tokens, seed)
    return token_ids("--prompt-ids", text)


def _lines(generation: Generation) -> list[str]:
    result, energy = generation.result, generation.result.energy_j
    counts = generation.to_dict()["command_counts"]
    lines = [
        f"{result.workload} on {result.hardware}, numerics {generation.numerics}, weights {_weights_text(generation.weights)}",
        f"prompt_ids {_ids(generation.prompt_ids)}",
        f"token_ids {_ids(generation.token_ids)}",
        f"dram_cycles {result.dram_cycles}",
        f"latency_s {result.latency_s:.9g}",
        f"energy_j {energy['low']:.4g} / {energy['nominal']:.4g} / {energy['high']:.4g} (low / nominal / high)",
        f"commands {'equal to' if counts['equal'] else 'DIFFERENT from'} the timed run's: {sum(counts['functional'].values())}",
    ]
    for name, found in generation.references.items():
        lines.append(
            f"against NumPy {name}: token agreement {found['token_agreement']:.2%}, logits error max {found['logits_max_error']:.3g} "
            f"mean {found['logits_mean_error']:.3g}, KL max {found['kl_divergence_max']:.3g} nats"
        )
    for name, found_errors in generation.functions.items():
        lines.append(
            f"asic {name} on {found_errors['input_min']:.4g} .. {found_errors['input_max']:.4g}: error max "
            f"{found_errors['max_abs_error']:.3g}, relative {found_errors['max_rel_error']:.3g}"
        )
    return lines


def _weights_text(weights: dict[str, object]) -> str:
    return (
        f"random (seed {weights['seed']})" if weights["kind"] == "random" else f"{weights['file']} (sha256 {weights['sha256']})"
    )


def _ids(ids: tuple[int, ...]) -> str:
    shown = ",".join(map(str, ids[:MOST_SHOWN]))
    return shown if len(ids) <= MOST_SHOWN else f"{shown},... ({len(ids)})"
