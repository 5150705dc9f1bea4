# SPDX-License-Identifier: Apache-2.0
"""Networks in ordinary PyTorch, written as users and torchvision write them, for the tests of conversion."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class BasicBlock(nn.Module):
    """Of a ResNet."""

    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(nn.Conv2d(inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet18(nn.Module):
    """The form and the names of torchvision's, with other widths."""

    def __init__(self, widths=(8, 12, 16, 24), classes=5):
        super().__init__()
        self.inplanes = widths[0]
        self.conv1 = nn.Conv2d(3, widths[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._make_layer(widths[0], 1)
        self.layer2 = self._make_layer(widths[1], 2)
        self.layer3 = self._make_layer(widths[2], 2)
        self.layer4 = self._make_layer(widths[3], 2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(widths[3], classes)

    def _make_layer(self, planes, stride):
        first = BasicBlock(self.inplanes, planes, stride)
        self.inplanes = planes
        return nn.Sequential(first, BasicBlock(planes, planes))

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = torch.flatten(self.avgpool(x), 1)
        return self.fc(x)


def double(conv, norm, inputs, outputs):
    """Two convolutions with batch norm."""
    steps = [conv(inputs, outputs, 3, padding=1), norm(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*steps, conv(outputs, outputs, 3, padding=1), norm(outputs), nn.ReLU(inplace=True))


class UNet(nn.Module):
    """In 1, 2 or 3 dimensions, with skips by concatenation and upsampling."""

    def __init__(self, dimension=2, inputs=2, classes=3, width=6, mode="nearest"):
        super().__init__()
        conv = getattr(nn, f"Conv{dimension}d")
        norm = getattr(nn, f"BatchNorm{dimension}d")
        self.down1 = double(conv, norm, inputs, width)
        self.down2 = double(conv, norm, width, 2 * width)
        self.bottom = double(conv, norm, 2 * width, 4 * width)
        self.pool = getattr(nn, f"MaxPool{dimension}d")(2)
        self.up = nn.Upsample(scale_factor=2, mode=mode)
        self.up2 = double(conv, norm, 6 * width, 2 * width)
        self.up1 = double(conv, norm, 3 * width, width)
        self.last = conv(width, classes, 1)

    def forward(self, x):
        one = self.down1(x)
        two = self.down2(self.pool(one))
        y = self.bottom(self.pool(two))
        y = self.up2(torch.cat([self.up(y), two], dim=1))
        y = self.up1(torch.cat([self.up(y), one], dim=1))
        return self.last(y)


class ConvNet(nn.Module):
    """A small one in functional style."""

    def __init__(self, classes=4):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 5, padding=2)
        self.conv2 = nn.Conv2d(12, 20, 3, padding="same")
        self.norm = nn.BatchNorm2d(20)
        self.drop = nn.Dropout2d(0.1)
        self.fc1 = nn.Linear(20, 16)
        self.fc2 = nn.Linear(16, classes)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = self.drop(functional.leaky_relu(self.norm(self.conv2(x)), 0.1))
        x = functional.adaptive_avg_pool2d(functional.avg_pool2d(x, 2), 1)
        x = x.view(x.size(0), -1)
        x = functional.dropout(functional.relu(self.fc1(x)), 0.1, self.training)
        return self.fc2(x)


class Squeezed(nn.Module):
    """Depthwise convolution, and squeeze-and-excitation with linear maps."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.gate = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 8), nn.Sigmoid())
        self.norm = nn.BatchNorm1d(8)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x = self.depthwise(self.first(x)).relu()
        b, c, _, _ = x.size()
        gate = self.gate(self.squeeze(x).view(b, c)).view(b, c, 1, 1)
        return self.last(self.norm((x * gate).mean((2, 3))))


class Dense(nn.Module):
    """Growing concatenations, a sum of concatenated channels with those of one convolution, and the image again."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 5, 3, padding=1)
        self.two = nn.Conv2d(5, 5, 3, padding=1)
        self.mix = nn.Conv2d(10, 10, 1)
        self.last = nn.Conv2d(13, 2, 3, padding=1)

    def forward(self, x):
        one = torch.tanh(self.one(x))
        both = torch.cat((one, torch.tanh(self.two(one))), 1)
        return self.last(torch.cat([both + self.mix(both), x], -3)).softmax(1)


class Normed(nn.Module):
    """Norms by the statistics of each sample, before and behind the head."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 12, 3, padding=1)
        self.groups = nn.GroupNorm(4, 12)
        self.second = nn.Conv2d(12, 8, 3, padding=1, bias=False)
        self.instances = nn.InstanceNorm2d(8, affine=True)
        self.layer = nn.LayerNorm(8)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x = functional.gelu(self.groups(self.first(x)))
        x = functional.silu(self.instances(self.second(x)))
        return self.last(self.layer(x.mean([-1, -2])))


def volumes():
    """A small classifier of volumes."""
    return nn.Sequential(
        nn.Conv3d(1, 6, 3, padding=1), nn.BatchNorm3d(6), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(6, 8, 3, padding=1),
        nn.Dropout3d(0.1), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip


def autoencoder():
    """Down by strides and up by transposed convolutions, the last of which ends the network."""
    steps = [nn.Conv2d(2, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU()]
    steps += [nn.ConvTranspose2d(12, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 3, 3, 2, 1)]
    return nn.Sequential(*steps)
