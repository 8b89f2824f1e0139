"""Latent diffusion, as the producers share it: weights, geometry, noise, timesteps."""
