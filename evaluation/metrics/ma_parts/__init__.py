"""The parts of the metric of Ma et al., one idea a module; `evaluation.metrics.ma` joins them."""
