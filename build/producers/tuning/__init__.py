"""Fine-tuning of Stable Diffusion on two prompts, the object's and the background's; only commands import this."""
