"""PyTorch on the processor, channels_last, as a peer of the benchmark: see lib/serve.mjs for the protocol."""

import json
import math
import os
import sys
import time

STARTED = time.perf_counter()

import torch
import torch.nn.functional as F

CHECKED_IMAGES = 4
BATCH_NORM_PARTS = ("gamma", "beta", "mean", "variance")


def peak_memory_bytes():
    """Linux counts the parent's memory in ru_maxrss, from before the program was loaded, but not in VmHWM."""
    with open("/proc/self/status", encoding="utf8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024


def read_floats(path):
    with open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.float32)


class Case:
    """Net, parameters, images and labels of a job."""

    def __init__(self, job):
        folder, mode, batch = job["directory"], job["mode"], job["batch"]
        with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
            description = json.load(file)
        self.nodes = description[mode]["nodes"]
        self.constants = description["constants"]
        values = read_floats(os.path.join(folder, "parameters.f32" if mode == "training" else "folded.f32"))
        self.parameters = {}
        for place in description[mode]["parameters"]:
            tensor = values[place["offset"] : place["offset"] + place["count"]].reshape(place["shape"])
            if len(place["shape"]) == 4:  # height, width, in, out -> out, in, height, width
                tensor = tensor.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
            self.parameters[place["name"]] = tensor.clone()
        images = read_floats(os.path.join(folder, "images.f32")).reshape(-1, 32, 32, 3)
        # The memory stays as it is, which is channels_last.
        self.images = images[:batch].permute(0, 3, 1, 2)
        labels = read_floats(os.path.join(folder, "labels.f32")).reshape(len(images), -1)[:batch]
        self.labels = labels.argmax(1)


class Net(torch.nn.Module):
    def __init__(self, case, training):
        super().__init__()
        self.nodes = case.nodes
        self.training_mode = training
        self.epsilon = case.constants["epsilon"]
        self.rate = 1 - case.constants["momentum"]
        for name, tensor in case.parameters.items():
            if name.endswith(("/mean", "/variance")):
                self.register_buffer(attribute(name), tensor)
            else:
                self.register_parameter(attribute(name), torch.nn.Parameter(tensor))

    def get(self, name):
        return getattr(self, attribute(name))

    def forward(self, x):
        values = {0: x}
        for node in self.nodes:
            inputs = [values[i] for i in node["inputs"]]
            values[node["output"]] = getattr(self, node["op"])(node, *inputs)
        return values[self.nodes[-1]["output"]]

    def conv(self, node, x):
        before, after = node["pads"]
        padding = before if before == after else 0
        if before != after:
            x = F.pad(x, (before, after, before, after))
        name = node["name"]
        return F.conv2d(x, self.get(f"{name}/filter"), self.get(f"{name}/bias"), node["stride"], padding)

    def batchNorm(self, node, x):
        gamma, beta, mean, variance = (self.get(f"{node['name']}/{part}") for part in BATCH_NORM_PARTS)
        return F.batch_norm(x, mean, variance, gamma, beta, self.training_mode, self.rate, self.epsilon)

    def relu(self, node, x):
        return F.relu(x)

    def add(self, node, a, b):
        return a + b

    def pool(self, node, x):
        return x.mean((2, 3))

    def dense(self, node, x):
        return torch.addmm(self.get(f"{node['name']}/bias"), x, self.get(f"{node['name']}/kernel"))


def attribute(name):
    return name.replace("/", "_")


class Inference:
    def __init__(self, case):
        self.images = case.images
        net = Net(case, training=False).eval()
        with torch.no_grad():
            self.net = torch.jit.freeze(torch.jit.trace(net, case.images))

    def run(self):
        with torch.no_grad():
            self.logits = self.net(self.images)

    def result(self):
        return self.logits[:CHECKED_IMAGES].flatten().tolist()


class Training:
    def __init__(self, case):
        self.case = case
        self.net = Net(case, training=True)
        adam = case.constants["adam"]
        betas = (adam["beta1"], adam["beta2"])
        self.adam = adam
        self.count = 0
        self.optimizer = torch.optim.Adam(self.net.parameters(), adam["learningRate"], betas, adam["epsilon"])
        self.filters = [p for name, p in self.net.named_parameters() if name.endswith("_filter")]

    def run(self):
        self.count += 1
        # Keras adds epsilon to the root of v before its bias is corrected, PyTorch behind it.
        correction = math.sqrt(1 - self.adam["beta2"] ** self.count)
        for group in self.optimizer.param_groups:
            group["eps"] = self.adam["epsilon"] / correction
        self.optimizer.zero_grad(set_to_none=True)
        penalty = sum(filter.square().sum() for filter in self.filters)
        loss = F.cross_entropy(self.net(self.case.images), self.case.labels)
        loss = loss + self.case.constants["l2"] * penalty
        loss.backward()
        self.optimizer.step()
        self.loss = loss

    def result(self):
        return [self.loss.item()]


def set_up(job):
    start = time.perf_counter()
    torch.set_num_threads(job["threads"])
    torch.set_flush_denormal(True)
    case = Case(job)
    work = (Training if job["mode"] == "training" else Inference)(case)
    work.run()
    answer = work.result()
    if job["mode"] == "training":
        work.run()
        answer += work.result()
    return work, {
        "device": f"native, {job['threads']} threads, channels_last",
        "versions": {"torch": torch.__version__},
        "startMilliseconds": (start - STARTED) * 1000,
        "setupMilliseconds": (time.perf_counter() - start) * 1000,
        "answer": answer,
    }


def measure(work, batch, seconds):
    work.run()
    times = []
    start = now = time.perf_counter()
    while len(times) < 3 or now < start + seconds:
        work.run()
        before, now = now, time.perf_counter()
        times.append((now - before) * 1000)
    total = now - start
    times.sort()
    median = times[len(times) // 2]
    return {
        "runs": len(times),
        "median": median,
        "minimum": times[0],
        "imagesPerSecond": batch / median * 1000,
        "throughput": batch * len(times) / total,
        "peakMemoryBytes": peak_memory_bytes(),
    }


def main():
    work = batch = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "setup" in request:
                batch = request["setup"]["batch"]
                work, answer = set_up(request["setup"])
            else:
                answer = measure(work, batch, request["run"])
        except Exception as error:  # the parent reports it and goes on with the others
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
