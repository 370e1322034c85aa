"""What is rendered: our overlays, and production with each component for GPUs."""

from tests.k8s.manifests import ROOT

OVERLAYS = ROOT / "k8s" / "overlays"
VARIANTS = ROOT / "tests" / "k8s" / "variants"
FOLDERS = {
    "local": OVERLAYS / "local",
    "production": OVERLAYS / "production",
    "gpu": VARIANTS / "gpu",
    "mig": VARIANTS / "mig",
}
