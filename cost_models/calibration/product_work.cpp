#include <algorithm>
#include <cmath>

#include "cost_models/calibration/kernel_work.hpp"

namespace switchyard {
namespace {

// As in kernels/cpu/gemm_task.hpp.
constexpr std::int64_t kTaskColumns = 256;
constexpr std::int64_t kFewestColumns = 32;
constexpr std::int64_t kTaskRows = 960;
constexpr std::int64_t kDepthBlock = 256;
constexpr int kTasksPerThread = 4;

std::int64_t num_blocks(std::int64_t size, std::int64_t block) {
  return (size + block - 1) / block;
}

double rounded_up(std::int64_t size, std::int64_t block) {
  return static_cast<double>(num_blocks(size, block) * block);
}

std::int64_t task_columns(std::span<const ProductShape> products, int threads) {
  std::int64_t columns = kTaskColumns;
  for (; columns > kFewestColumns; columns /= 2) {
    std::int64_t tasks = 0;
    for (const ProductShape& p : products)
      tasks += num_blocks(p.rows, kTaskRows) * num_blocks(p.columns, columns);
    if (tasks >= kTasksPerThread * threads) break;
  }
  return columns;
}

constexpr double kMostTasks = 1e6;
constexpr double kUnsplitDepth = 1024;  // of a GPU's tile

double num_tasks(std::span<const ProductShape> products, std::int64_t block) {
  double tasks = 0;
  for (const ProductShape& p : products)
    tasks += static_cast<double>(num_blocks(p.rows, kTaskRows)) *
             static_cast<double>(num_blocks(p.columns, block));
  return tasks;
}

/// So many tasks that each thread has its share of the work.
ProductWork in_many_tasks(std::span<const ProductShape> products, int threads, std::int64_t block,
                          const ProductTiles& tiles) {
  ProductWork work;
  for (const ProductShape& p : products) {
    const auto rows = static_cast<double>(p.rows);
    const auto columns = static_cast<double>(p.columns);
    const auto depth = static_cast<double>(p.depth);
    work.flop +=
        2.0 * rounded_up(p.rows, tiles.rows) * rounded_up(p.columns, tiles.columns) * depth;
    work.copied_a += rows * depth * static_cast<double>(num_blocks(p.columns, block));
    work.copied_b += columns * depth * static_cast<double>(num_blocks(p.rows, kTaskRows));
    work.sums += rows * columns * static_cast<double>(num_blocks(p.depth, kDepthBlock));
  }
  work.flop /= threads;
  work.tasks = num_tasks(products, block) / threads;
  return work;
}

/// Tiles of a kernel side by side on the multiprocessors of a GPU. A library has several tiles and
/// takes smaller ones, down to a quarter of the largest, or splits the depth, where multiprocessors
/// would be idle: what is left is that no result takes less than a small tile on one of them.
ProductWork on_multiprocessors(std::span<const ProductShape> products, const ProductTiles& tiles) {
  constexpr std::int64_t kSmaller = 2;  // than the tile, in both directions
  const std::int64_t height = std::max<std::int64_t>(1, tiles.rows / kSmaller);
  const std::int64_t width = std::max<std::int64_t>(1, tiles.columns / kSmaller);
  ProductWork work;
  double longest = 0;
  for (const ProductShape& p : products) {
    const auto depth = static_cast<double>(p.depth);
    const double of_tile = 2.0 * static_cast<double>(height * width) * depth;
    work.flop += of_tile * static_cast<double>(num_blocks(p.rows, height)) *
                 static_cast<double>(num_blocks(p.columns, width));
    longest = std::max(longest, std::min(depth, kUnsplitDepth) / depth * of_tile);
    work.copied_a += static_cast<double>(p.rows) * depth;
    work.copied_b += depth * static_cast<double>(p.columns);
    work.sums += static_cast<double>(p.rows) * static_cast<double>(p.columns);
  }
  work.flop = std::max(work.flop, longest * tiles.multiprocessors);
  return work;
}

}  // namespace

ProductWork product_work(std::span<const ProductShape> products, int threads,
                         const ProductTiles& tiles) {
  if (tiles.multiprocessors > 1) return on_multiprocessors(products, tiles);
  const std::int64_t block = task_columns(products, threads);
  if (num_tasks(products, block) > kMostTasks)
    return in_many_tasks(products, threads, block, tiles);
  std::vector<double> busy(static_cast<std::size_t>(threads), 0.0);
  std::vector<double> tasks(busy.size(), 0.0);
  ProductWork work;
  for (const ProductShape& p : products) {
    if (p.rows == 0) continue;
    for (std::int64_t j = 0; j < p.columns; j += block)
      for (std::int64_t i = 0; i < p.rows; i += kTaskRows) {
        const std::int64_t rows = std::min(kTaskRows, p.rows - i);
        const std::int64_t columns = std::min(block, p.columns - j);
        const auto free = std::ranges::min_element(busy) - busy.begin();
        const double flop = 2.0 * rounded_up(rows, tiles.rows) * rounded_up(columns, tiles.columns);
        busy[static_cast<std::size_t>(free)] += flop * static_cast<double>(p.depth);
        ++tasks[static_cast<std::size_t>(free)];
        work.copied_a += static_cast<double>(rows * p.depth);
        work.copied_b += static_cast<double>(columns * p.depth);
        work.sums += static_cast<double>(rows * columns * num_blocks(p.depth, kDepthBlock));
      }
  }
  work.flop = std::ranges::max(busy);
  work.tasks = std::ranges::max(tasks);
  return work;
}

}  // namespace switchyard
