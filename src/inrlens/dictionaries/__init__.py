"""Which directions does a layer use? TopK sparse autoencoders: model, training, evaluation."""
