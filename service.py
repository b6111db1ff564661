"""The service: nine models behind one front door. `bentoml serve` runs it, `bentoml build` packs it."""

import bentoml

import ekiben
from ekiben.ship import slim_image


@bentoml.service(service_class=ekiben.Service, workers="cpu_count", image=slim_image())
class Predictor:
    """Models from finance, medicine, retail, manufacturing and transport, each at /predict/NAME."""

    neuron = ekiben.Runner("neuron")  # the first one answers /predict
    disease = ekiben.Runner("disease")
    credit = ekiben.Runner("credit", max_batch_rows=512, max_latency_ms=20)
    fraud = ekiben.Runner("fraud")
    recommend = ekiben.Runner("recommend")
    inventory = ekiben.Runner("inventory")
    quality = ekiben.Runner("quality")
    maintenance = ekiben.Runner("maintenance")
    traffic = ekiben.Runner("traffic")
