"""The levels of constant answers on MNIST's test set, for the test of the same name in levels.rs."""

counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
codes = [[int(bit) for bit in format(48 + digit, "06b")] for digit in range(10)]
ones = [sum(n * code[bit] for n, code in zip(counts, codes)) / sum(counts) for bit in range(6)]
answers = {"all ones": [1.0] * 6, "majority bits": [float(p >= 0.5) for p in ones], "mean of bits": ones}
for name, answer in answers.items():
    mae = mse = bits = digits = 0.0
    for n, code in zip(counts, codes):
        mae += n * sum(abs(a - y) for a, y in zip(answer, code)) / 6
        mse += n * sum((a - y) ** 2 for a, y in zip(answer, code)) / 6
        right = [(a >= 0.5) == (y == 1) for a, y in zip(answer, code)]
        bits += n * sum(right) / 6
        digits += n * all(right)
    total = sum(counts)
    print(f"{name} {mae / total:.4f} {(mse / total) ** 0.5:.4f} {bits / total:.4f} {digits / total:.4f}")
