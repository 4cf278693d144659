"""The document's lines that take a network to PyTorch and back."""

import numpy as np
import pytest
from conftest import fitted, parameters
from mlp_lab import MLPClassifier
from test_documents import blocks

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("hidden", [(100,), (30, 20), ()])
def test_a_state_dict_goes_there_and_back(digits, hidden):
    (lines,) = (text for kind, text in blocks("docs/python.md") if "import torch" in text)
    statements = [line for line in lines.splitlines() if line and not line.startswith("import")]
    x, y = digits
    net = fitted(MLPClassifier(hidden_layer_sizes=hidden, max_iter=3, random_state=0), x, y)
    before, probabilities = parameters(net), net.predict_proba(x)
    names = {"net": net, "np": np}
    exec(compile(lines, "docs/python.md", "exec"), names)
    assert len(statements) <= 10

    # The module answers as the network does.
    with torch.no_grad():
        found = names["module"](torch.tensor(x)).softmax(dim=1).numpy()
    np.testing.assert_allclose(found, probabilities, atol=1e-12)
    # What came back is what went.
    np.testing.assert_array_equal(parameters(net), before)
    np.testing.assert_array_equal(net.predict_proba(x), probabilities)

    # And what PyTorch has trained is brought back, too.
    optimizer = torch.optim.SGD(names["module"].parameters(), lr=0.1)
    torch.nn.functional.cross_entropy(names["module"](torch.tensor(x)), torch.tensor(y)).backward()
    optimizer.step()
    exec(compile("\n".join(lines.splitlines()[-3:]), "docs/python.md", "exec"), names)
    with torch.no_grad():
        found = names["module"](torch.tensor(x)).softmax(dim=1).numpy()
    assert np.abs(parameters(net) - before).max() > 1e-4
    np.testing.assert_allclose(net.predict_proba(x), found, atol=1e-12)
