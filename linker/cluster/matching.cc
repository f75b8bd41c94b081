#include "linker/cluster/matching.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "linker/cluster/components.h"

namespace sluis::linker {
namespace {

constexpr std::int64_t kInfinity = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kEdgesBetweenStopChecks = 1 << 22;

// One component: rows are its smaller side. Prices ("duals") u of rows and v of columns keep u + v >= weight for every
// edge, equality for matched ones, u >= 0, v >= 0, and 0 for whoever is unmatched: complementary slackness, hence an
// optimum (Kuhn 1955). Rows are added one after the other; each takes a shortest path, in reduced costs u + v - weight,
// to a free column or to a row that gives up its column, which costs that row's u.
class ComponentMatcher {
 public:
  // Starts a component; rows and columns are numbered from 0. Edges follow by AddEdge, ascending by row.
  void Reset(std::uint32_t rows, std::uint32_t columns) {
    start_.assign(rows + 1, 0);
    arcs_.clear();
    row_price_.assign(rows, 0);
    column_price_.assign(columns, 0);
    column_of_.assign(rows, kUnmatched);
    row_of_.assign(columns, kUnmatched);
    distance_.assign(columns, kInfinity);
    parent_.assign(columns, kUnmatched);
    settled_.assign(columns, false);
  }

  void AddEdge(std::uint32_t row, std::uint32_t column, std::int64_t weight) {
    arcs_.push_back({weight, column});
    start_[row + 1] = static_cast<std::uint32_t>(arcs_.size());
    row_price_[row] = std::max(row_price_[row], weight);
  }

  // Returns false if a stop was requested.
  bool Solve(const std::stop_token& stop, std::uint64_t* edges_scanned) {
    for (std::uint32_t row = 0; row + 1 < start_.size(); ++row) {
      if (*edges_scanned >= next_check_) {
        next_check_ = *edges_scanned + kEdgesBetweenStopChecks;
        if (stop.stop_requested()) {
          return false;
        }
      }
      Augment(row, edges_scanned);
    }
    return true;
  }

  std::uint32_t column_of(std::uint32_t row) const { return column_of_[row]; }

 private:
  struct Arc {
    std::int64_t weight;
    std::uint32_t column;
  };
  using QueueEntry = std::pair<std::int64_t, std::uint32_t>;  // distance, column

  void Augment(std::uint32_t first, std::uint64_t* edges_scanned) {
    queue_.clear();
    reached_.clear();
    settled_columns_.clear();
    std::int64_t best = kInfinity;
    std::uint32_t best_row = kUnmatched;     // the row that gives up its column, or ...
    std::uint32_t best_column = kUnmatched;  // ... the free column
    std::uint32_t row = first;
    std::int64_t row_distance = 0;
    while (true) {
      if (row_distance + row_price_[row] < best) {
        best = row_distance + row_price_[row];
        best_row = row;
        best_column = kUnmatched;
      }
      for (std::uint32_t i = start_[row]; i < start_[row + 1]; ++i) {
        ++*edges_scanned;
        const std::uint32_t column = arcs_[i].column;
        const std::int64_t distance = row_distance + row_price_[row] + column_price_[column] - arcs_[i].weight;
        if (distance >= best || distance >= distance_[column]) {
          continue;
        }
        if (distance_[column] == kInfinity) {
          reached_.push_back(column);
        }
        distance_[column] = distance;
        parent_[column] = row;
        if (row_of_[column] == kUnmatched) {
          best = distance;
          best_row = kUnmatched;
          best_column = column;
        } else {
          queue_.emplace_back(distance, column);
          std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
        }
      }
      while (!queue_.empty() && settled_[queue_.front().second]) {
        std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
        queue_.pop_back();
      }
      if (queue_.empty() || queue_.front().first >= best) {
        break;
      }
      const std::uint32_t column = queue_.front().second;
      row_distance = queue_.front().first;
      settled_[column] = true;
      settled_columns_.push_back(column);
      row = row_of_[column];
    }
    row_price_[first] -= best;
    for (const std::uint32_t column : settled_columns_) {
      column_price_[column] += best - distance_[column];
      row_price_[row_of_[column]] -= best - distance_[column];
      settled_[column] = false;
    }
    std::uint32_t column = best_column;
    if (best_row != kUnmatched) {
      column = column_of_[best_row];
      column_of_[best_row] = kUnmatched;
    }
    // A free first row that gives up has no column and nothing moves.
    while (column != kUnmatched) {
      const std::uint32_t taker = parent_[column];
      row_of_[column] = taker;
      std::swap(column_of_[taker], column);
    }
    for (const std::uint32_t reached : reached_) {
      distance_[reached] = kInfinity;
    }
  }

  std::vector<std::uint32_t> start_;
  std::vector<Arc> arcs_;
  std::vector<std::int64_t> row_price_;
  std::vector<std::int64_t> column_price_;
  std::vector<std::uint32_t> column_of_;
  std::vector<std::uint32_t> row_of_;
  std::vector<std::int64_t> distance_;
  std::vector<std::uint32_t> parent_;
  std::vector<bool> settled_;
  std::vector<std::uint32_t> settled_columns_;
  std::vector<std::uint32_t> reached_;
  std::vector<QueueEntry> queue_;
  std::uint64_t next_check_ = 0;
};

}  // namespace

std::vector<std::uint32_t> MaximumWeightMatching(std::uint32_t left, std::uint32_t right,
                                                 std::span<const WeightedEdge> edges, const std::stop_token& stop,
                                                 MatchingStats* stats) {
  std::vector<GraphEdge> graph;
  graph.reserve(edges.size());
  for (const WeightedEdge& edge : edges) {
    graph.push_back({edge.left, left + edge.right});
  }
  const Components components(left + right, graph);
  graph = {};
  stats->components = components.size();
  std::vector<std::uint32_t> matched(left, kUnmatched);
  ComponentMatcher matcher;
  std::vector<std::uint32_t> by_right;
  for (std::size_t i = 0; i < components.size(); ++i) {
    const std::span<const std::uint32_t> nodes = components.nodes(i);
    const std::span<const std::uint32_t> members = components.edges(i);
    stats->largest_component = std::max<std::uint64_t>(stats->largest_component, nodes.size());
    if (members.size() == 1) {
      const WeightedEdge& edge = edges[members.front()];
      matched[edge.left] = edge.right;
      ++stats->edges_scanned;
      continue;
    }
    // Nodes ascend and left ones have the lower numbers.
    const auto lefts = static_cast<std::uint32_t>(std::lower_bound(nodes.begin(), nodes.end(), left) - nodes.begin());
    const auto rights = static_cast<std::uint32_t>(nodes.size()) - lefts;
    const auto local_right = [&](std::uint32_t node) { return components.local(left + node) - lefts; };
    if (lefts <= rights) {
      matcher.Reset(lefts, rights);
      for (const std::uint32_t member : members) {
        const WeightedEdge& edge = edges[member];
        matcher.AddEdge(components.local(edge.left), local_right(edge.right), edge.weight);
      }
      stats->cancelled = !matcher.Solve(stop, &stats->edges_scanned);
      for (std::uint32_t row = 0; row < lefts; ++row) {
        if (const std::uint32_t column = matcher.column_of(row); column != kUnmatched) {
          matched[nodes[row]] = nodes[lefts + column] - left;
        }
      }
    } else {
      matcher.Reset(rights, lefts);
      by_right.assign(members.begin(), members.end());
      std::stable_sort(by_right.begin(), by_right.end(),
                       [&](std::uint32_t x, std::uint32_t y) { return edges[x].right < edges[y].right; });
      for (const std::uint32_t member : by_right) {
        const WeightedEdge& edge = edges[member];
        matcher.AddEdge(local_right(edge.right), components.local(edge.left), edge.weight);
      }
      stats->cancelled = !matcher.Solve(stop, &stats->edges_scanned);
      for (std::uint32_t row = 0; row < rights; ++row) {
        if (const std::uint32_t column = matcher.column_of(row); column != kUnmatched) {
          matched[nodes[column]] = nodes[lefts + row] - left;
        }
      }
    }
    if (stats->cancelled) {
      return matched;
    }
  }
  return matched;
}

}  // namespace sluis::linker
