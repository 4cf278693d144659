"""Images that torchvision's ElasticTransform deforms in a second of one core, each image by a field of its own."""

import time

import torch
import torchvision
from torchvision.transforms.v2 import ElasticTransform, RandomAffine
torch.set_num_threads(1)
images = torch.randint(0, 256, (300, 1, 28, 28), dtype=torch.uint8)
elastic = ElasticTransform(alpha=37.0, sigma=5.5)
affine = RandomAffine(15, scale=(0.85, 1.15))
for name, transform in [("elastic", elastic), ("affine", affine)]:
    best = 0.0
    for _ in range(5):
        begin = time.process_time()
        for image in images:
            transform(image)
        best = max(best, len(images) / (time.process_time() - begin))
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}, {name}: {best:.0f} images/s")
