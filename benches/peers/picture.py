"""A picture of cost against size, for the measurements that grow."""
import numpy as np


def picture(points, path, across, up):
    """Cost against size, as SVG, sizes by powers: `points` are (who, size, cost)."""
    width, height, left, bottom = 640, 360, 60, 50
    sizes = sorted({size for _, size, _ in points})
    top = 1.15 * max(cost for _, _, cost in points)
    x = lambda size: left + 20 + (width - left - 180) * (np.log10(size) - np.log10(sizes[0])) / max(np.log10(sizes[-1]) - np.log10(sizes[0]), 1e-9)
    y = lambda cost: height - bottom - (height - bottom - 40) * cost / top
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13"><rect width="{width}" height="{height}" fill="#fff"/>']
    step = next(step for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if top / step < 9)
    for tick in np.arange(0, top, step):
        parts.append(f'<line x1="{left}" x2="{width - 150}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#ddd"/><text x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.1f}" y="{height - bottom + 20}" text-anchor="middle">{size:,}</text>')
    parts.append(f'<text x="{(left + width - 150) / 2}" y="{height - 8}" text-anchor="middle">{across}</text><text x="14" y="18">{up}</text>')
    last = []
    for who, color in zip(dict.fromkeys(who for who, _, _ in points), ["#0b6e4f", "#6bbf59", "#b23a48", "#e59500"]):
        line = [(x(size), y(cost)) for name, size, cost in points if name == who]
        parts.append(f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in line)}"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{color}"/>' for a, b in line]
        last.append([line[-1][1], who, color])
    last.sort()
    for position, (height_of, who, color) in enumerate(last):
        place = height_of if position == 0 else max(height_of, last[position - 1][0] + 17)
        last[position][0] = place
        parts.append(f'<text x="{width - 145}" y="{place + 4:.1f}" fill="{color}">{who}</text>')
    with open(path, "w") as file:
        file.write("".join(parts) + "</svg>\n")
