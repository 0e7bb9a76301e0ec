"""Maps of latent spaces; apart from what all figures share, as scikit-learn takes seconds to import."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from sklearn.decomposition import PCA


class Map:
    """A plane to show a latent space in: its first two principal components.

    Args:
        latent: Of the sounds that the components are of.
    """

    def __init__(self, latent: Float[np.ndarray, "items latent"]):
        self.components = PCA(n_components=2, svd_solver="full").fit(latent.astype(np.float64))
        self.shares = self.components.explained_variance_ratio_

    def place(self, latent: Float[np.ndarray, "items latent"]) -> Float[np.ndarray, "items 2"]:
        """Where latents are on the plane."""
        return self.components.transform(latent.astype(np.float64))

    def label(self, axis: Axes) -> None:
        """Name the axes by the share of variance that they show."""
        axis.set(xticks=[], yticks=[])
        axis.set_xlabel(f"1st component, {self.shares[0]:.0%} of variance", fontsize=7)
        axis.set_ylabel(f"2nd, {self.shares[1]:.0%}", fontsize=7)
