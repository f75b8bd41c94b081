#include "disclosure/cell_key/max_entropy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluis::disclosure {
namespace {

constexpr int kMaxIterations = 500;
constexpr double kMomentTolerance = 1e-11;
constexpr size_t kMaxFeatures = 3;

using Vector = std::array<double, kMaxFeatures>;

struct Block {
  double sum = 0;
  std::vector<size_t> members;
  [[nodiscard]] double mean() const { return sum / static_cast<double>(members.size()); }
};

void Merge(Block& into, const Block& other) {
  into.sum += other.sum;
  into.members.insert(into.members.end(), other.members.begin(), other.members.end());
}

// Pools `order` (entries from the far end towards 0) to blocks whose means do not fall.
std::vector<Block> PoolChain(const std::vector<size_t>& order, std::span<const double> theta) {
  std::vector<Block> blocks;
  for (const size_t k : order) {
    blocks.push_back({.sum = theta[k], .members = {k}});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
      Merge(blocks[blocks.size() - 2], blocks.back());
      blocks.pop_back();
    }
  }
  return blocks;
}

struct Point {
  std::vector<double> p;
  double objective = 0;
  Vector gradient{};
  std::array<Vector, kMaxFeatures> hessian{};
};

class Dual {
 public:
  explicit Dual(const EntropyProblem& problem) : problem_(problem), scale_(1) {
    for (const double v : problem.value) scale_ = std::max(scale_, std::abs(v));
    features_ = problem.at_zero.has_value() ? 3 : 2;
    target_ = {0, problem.variance / (scale_ * scale_), problem.at_zero.value_or(0)};
  }

  [[nodiscard]] size_t features() const { return features_; }

  [[nodiscard]] Point At(const Vector& l) const {
    const size_t n = problem_.value.size();
    std::vector<Vector> feature(n);
    std::vector<double> theta(n);
    for (size_t k = 0; k < n; ++k) {
      const double v = problem_.value[k] / scale_;
      feature[k] = {v, v * v, problem_.value[k] == 0 ? 1.0 : 0.0};
      theta[k] = std::inner_product(l.begin(), l.end(), feature[k].begin(), 0.0);
    }
    if (problem_.monotone) {
      const std::vector<size_t> block = PoolTowardsZero(problem_.value, theta);
      std::vector<Vector> mean(n, Vector{});
      std::vector<double> size(n, 0);
      for (size_t k = 0; k < n; ++k) {
        size[block[k]] += 1;
        for (size_t f = 0; f < kMaxFeatures; ++f) mean[block[k]][f] += feature[k][f];
      }
      for (size_t k = 0; k < n; ++k) {
        for (size_t f = 0; f < kMaxFeatures; ++f) feature[k][f] = mean[block[k]][f] / size[block[k]];
      }
    }
    Point point;
    const double top = *std::max_element(theta.begin(), theta.end());
    double sum = 0;
    for (const double t : theta) {
      point.p.push_back(std::exp(t - top));
      sum += point.p.back();
    }
    Vector moment{};
    for (size_t k = 0; k < n; ++k) {
      point.p[k] /= sum;
      for (size_t f = 0; f < features_; ++f) moment[f] += point.p[k] * feature[k][f];
    }
    for (size_t f = 0; f < features_; ++f) point.gradient[f] = moment[f] - target_[f];
    for (size_t k = 0; k < n; ++k) {
      for (size_t f = 0; f < features_; ++f) {
        for (size_t g = 0; g < features_; ++g) {
          point.hessian[f][g] += point.p[k] * (feature[k][f] - moment[f]) * (feature[k][g] - moment[g]);
        }
      }
    }
    point.objective = top + std::log(sum) - std::inner_product(l.begin(), l.end(), target_.begin(), 0.0);
    return point;
  }

  // Returns -(hessian + ridge)^-1 gradient, by elimination with the largest pivot.
  [[nodiscard]] Vector Direction(const Point& point) const {
    std::array<Vector, kMaxFeatures> a = point.hessian;
    Vector b{};
    for (size_t f = 0; f < features_; ++f) {
      b[f] = -point.gradient[f];
      a[f][f] += 1e-14;
    }
    for (size_t c = 0; c < features_; ++c) {
      size_t pivot = c;
      for (size_t r = c + 1; r < features_; ++r) {
        if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
      }
      std::swap(a[c], a[pivot]);
      std::swap(b[c], b[pivot]);
      for (size_t r = c + 1; r < features_; ++r) {
        const double factor = a[r][c] / a[c][c];
        for (size_t k = c; k < features_; ++k) a[r][k] -= factor * a[c][k];
        b[r] -= factor * b[c];
      }
    }
    Vector x{};
    for (size_t c = features_; c-- > 0;) {
      double rest = b[c];
      for (size_t k = c + 1; k < features_; ++k) rest -= a[c][k] * x[k];
      x[c] = rest / a[c][c];
    }
    return x;
  }

 private:
  const EntropyProblem& problem_;
  double scale_;
  size_t features_ = 2;
  Vector target_{};
};

double Largest(const Vector& x) { return std::max({std::abs(x[0]), std::abs(x[1]), std::abs(x[2])}); }

}  // namespace

std::vector<size_t> PoolTowardsZero(std::span<const double> value, std::span<double> theta) {
  std::vector<size_t> left, right;
  std::optional<size_t> zero;
  for (size_t k = 0; k < value.size(); ++k) {
    if (value[k] < 0) left.push_back(k);
    if (value[k] == 0) zero = k;
    if (value[k] > 0) right.push_back(k);
  }
  std::reverse(right.begin(), right.end());
  std::vector<Block> a = PoolChain(left, theta);
  std::vector<Block> b = PoolChain(right, theta);
  if (zero.has_value()) {
    // 0 is last on both sides: it takes in the higher neighbour as long as that is above it.
    Block root{.sum = theta[*zero], .members = {*zero}};
    while (true) {
      const bool from_a = !a.empty() && (b.empty() || a.back().mean() >= b.back().mean());
      std::vector<Block>& side = from_a ? a : b;
      if (side.empty() || side.back().mean() <= root.mean()) break;
      Merge(root, side.back());
      side.pop_back();
    }
    a.push_back(std::move(root));
  }
  std::vector<size_t> block_of(value.size());
  a.insert(a.end(), b.begin(), b.end());
  for (const Block& block : a) {
    const size_t name = *std::min_element(block.members.begin(), block.members.end());
    for (const size_t k : block.members) {
      theta[k] = block.mean();
      block_of[k] = name;
    }
  }
  return block_of;
}

std::optional<std::vector<double>> MaximiseEntropy(const EntropyProblem& problem) {
  const Dual dual(problem);
  Vector l{};
  Point point = dual.At(l);
  for (int i = 0; i < kMaxIterations && Largest(point.gradient) > 1e-15; ++i) {
    const Vector direction = dual.Direction(point);
    const double slope = std::inner_product(direction.begin(), direction.end(), point.gradient.begin(), 0.0);
    bool moved = false;
    for (double step = 1; step > 1e-12 && !moved; step /= 2) {
      Vector next = l;
      for (size_t f = 0; f < dual.features(); ++f) next[f] += step * direction[f];
      Point there = dual.At(next);
      // Near the optimum the objective no longer tells; the gradient does.
      const bool better = there.objective <= point.objective + 1e-4 * step * slope ||
                          Largest(there.gradient) < 0.5 * Largest(point.gradient);
      if (!better || !std::isfinite(there.objective)) continue;
      l = next;
      point = std::move(there);
      moved = true;
    }
    if (!moved) break;
  }
  if (!(Largest(point.gradient) < kMomentTolerance)) return std::nullopt;
  return point.p;
}

}  // namespace sluis::disclosure
