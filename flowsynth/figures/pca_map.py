"""Maps of latent spaces; a module of its own because scikit-learn takes seconds to import."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from sklearn.decomposition import PCA


class PCAMap:
    """Plane of the first two principal components of a latent space.

    Args:
        latent: Latents of the sounds that the components are fitted to.
    """

    def __init__(self, latent: Float[np.ndarray, "items latent"]):
        self.components = PCA(n_components=2, svd_solver="full").fit(latent.astype(np.float64))
        self.explained_variance = self.components.explained_variance_ratio_

    def project(self, latent: Float[np.ndarray, "items latent"]) -> Float[np.ndarray, "items 2"]:
        """Project latents onto the plane."""
        return self.components.transform(latent.astype(np.float64))

    def label_axes(self, axis: Axes) -> None:
        """Label the axes with their share of explained variance."""
        axis.set(xticks=[], yticks=[])
        axis.set_xlabel(f"1st component, {self.explained_variance[0]:.0%} of variance", fontsize=7)
        axis.set_ylabel(f"2nd, {self.explained_variance[1]:.0%}", fontsize=7)
