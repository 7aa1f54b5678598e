"""How is it shared? Folders with a model card, on the Hugging Face hub and from it."""
