#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard {

/// A time of somebody's own stack, in the words of a file of points.
struct ImportedPoint {
  std::string name{};              ///< operator
  std::string type = "float32";    ///< or bfloat16; of collectives always float32: bytes decide
  std::string shape{};             ///< "rows=512 n=1024 k=512", "bytes=1048576"
  std::string transport = "none";  ///< of collectives: nccl, mpi, loopback
  int ranks = 1;
  std::string role{};        ///< fit, held_out; empty: hold_out_every_third() decides
  std::int64_t repeats = 1;  ///< that the median is of
  double median_s = 0;
  double p10_s = 0;
  double p90_s = 0;
  std::string file{};  ///< name of the file it came from
};

/// Times that became no point, and why.
struct UnusedTime {
  std::string name{};
  std::string reason{};
  std::int64_t calls = 0;
  double median_s = 0;
  double total_s = 0;
  std::string file{};
};

/// What a file of measurements has.
struct ImportedFile {
  std::vector<ImportedPoint> points{};
  std::vector<UnusedTime> unused{};
  std::vector<std::string> warnings{};  ///< what was left out though it could have been a point
  std::string software{};               ///< as the file names it; empty: it does not
  std::string device{};                 ///< the same
  std::string backend{};                ///< cuda, cpu; empty: it does not say
  int multiprocessors = 0;              ///< of the device; 0: it does not say
};

/// `text` on one line of plain YAML: what would end it there becomes a space.
[[nodiscard]] std::string plain_words(std::string text);

}  // namespace switchyard
