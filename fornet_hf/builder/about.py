"""The dataset: its name on the Hub, what it is, and what to cite."""

REPOSITORY = "TNauen/ForNet"
DESCRIPTION = "Foregrounds and infilled backgrounds of ImageNet-1k, for recombination (ForAug)."
HOMEPAGE = f"https://huggingface.co/datasets/{REPOSITORY}"
CITATION = """\
@misc{nauen2025foraug,
    title = {ForAug: Mitigating Biases and Improving Vision Transformer Training by Recombining Foregrounds and
             Backgrounds},
    author = {Tobias Christian Nauen and Brian Moser and Federico Raue and Stanislav Frolov and Andreas Dengel},
    year = {2025},
    eprint = {2503.09399},
    archivePrefix = {arXiv},
    primaryClass = {cs.CV},
}"""
