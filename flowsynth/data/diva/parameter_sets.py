"""Parameter sets of the published code, and the word pairs of the designers' tags."""

TAG_PAIRS = (
    "Bright/Dark", "Clean/Dirty", "Modern/Vintage", "Phat/Thin", "Soft/Aggressive", "Constant/Moving",
    "Natural/Synthetic", "Wide/Narrow", "Harmonic/Inharmonic", "Dynamic/Static",
)  # fmt: skip


def _names(text: str) -> frozenset[str]:
    """Parse names in the form ``MODULE: Name, Name; MODULE: Name``."""
    modules = (part.split(":") for part in text.split(";"))
    return frozenset(f"{module.strip()}: {name.strip()}" for module, names in modules for name in names.split(","))


_ENVELOPE, _LFO = "Attack, Decay, Release, Sustain", "Delay, Phase, Rate"
_DELAY = "Center Delay, Center Vol, Dry, Feedback, HP, LP, Right Delay, Side Vol, Wow"
_PHASER = "Feedback, Phase, Rate, Stereo, Wet"
_16 = _names(
    "ENV1: Attack, Decay, Sustain; VCF1: Frequency, Resonance, FilterFM, Feedback;"
    "OSC: OscMix, Vibrato, Tune2, Tune3, Shape1, Shape2, FM, Volume2, Volume3"
)
_32 = _names(
    f"ENV1: {_ENVELOPE}; ENV2: {_ENVELOPE}; LFO1: {_LFO}; LFO2: {_LFO};"
    "OSC: FM, NoiseVol, Shape1, Shape2, Shape3, Tune1, Tune2, Tune3, Vibrato, Volume2, Volume3;"
    "VCF1: Feedback, FilterFM, FreqMod2Depth, FreqModDepth, Frequency, KeyFollow, Resonance"
)
_64 = _32 | _names(
    "Chrs1: Depth, Rate, Wet; ENV1: KeyFollow, Velocity; ENV2: KeyFollow, Velocity; HPF: Frequency, Resonance;"
    "LFO1: DepthMod Dpt1; LFO2: DepthMod Dpt1, FreqMod Dpt; MOD: Slew Rate;"
    "OSC: DigitalShape2, DigitalShape4, OscMix, PWModDepth, PulseWidth, Tune1ModDepth, Volume1;"
    "Plate1: Diffusion, Wet; Plate2: Damp, Diffusion, Size; Rtary1: Drive, Fast; VCA1: ModDepth, PanModDepth, Volume;"
    "VCF1: FmAmountModDepth, ResModDepth"
)
_128 = _64 | _names(
    f"Chrs2: Depth, Rate, Wet; Delay1: {_DELAY}; Delay2: {_DELAY}; HPF: FreqModDepth; LFO1: FreqMod Dpt; MOD: Quantise;"
    "OSC: DigitalShape3, Drift, FmModDepth, NoiseVolModDepth, ShapeDepth, Tune2ModDepth;"
    f"Phase1: {_PHASER}; Phase2: {_PHASER};"
    "Plate1: Damp, Decay, Dry, PreDelay, Size; Plate2: Decay, Dry, PreDelay, Wet;"
    "Rtary1: Balance, Mix, Out, RiseTime, Slow, Stereo; Rtary2: Balance, Drive, Fast, Mix, Slow, Stereo;"
    "VCF1: FeedbackModDepth, ShapeMix, ShapeModDepth"
)
SETS = {16: _16, 32: _32, 64: _64, 128: _128}  # all continuous; 16 is not a subset of 32
