"""Train n-gram language models: count, estimate, write for KenLM."""
