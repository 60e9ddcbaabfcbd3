"""Train and evaluate extractors of main text on pages whose main text a person has marked."""
