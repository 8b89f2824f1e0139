"""All that is known of the Hugging Face Hub: addresses, listings, transfers, waiting and what its answers mean."""
