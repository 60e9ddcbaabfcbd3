"""fastText classifiers: training, search of settings, quantisation."""
