"""Writes `fixtures/external.onnx`, the network of `timm.safetensors` as PyTorch exports it, its tensors in `external.data`.

    python -m venv venv && venv/bin/pip install -r requirements-onnx.txt
    venv/bin/python external_onnx.py
"""

import io
from pathlib import Path

import onnx
import torch
from safetensors.torch import load_file
from torch import nn

HERE = Path(__file__).parent / "fixtures"


class Block(nn.Module):
    def __init__(self, inside, out):
        super().__init__()
        stride = out // inside
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = (
            nn.Sequential(nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out)) if stride > 1 else nn.Identity()
        )

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.downsample(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(Block(4, 4))
        self.layer2 = nn.Sequential(Block(4, 8))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
        return self.fc(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))


net = Net()
net.load_state_dict(load_file(HERE / "timm.safetensors"))
written = io.BytesIO()
torch.onnx.export(net.eval(), torch.zeros(1, 3, 32, 32), written, opset_version=13)
onnx.save_model(
    onnx.load_from_string(written.getvalue()),
    str(HERE / "external.onnx"),
    save_as_external_data=True,
    location="external.data",
    size_threshold=0,
)
