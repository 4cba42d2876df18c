#pragma once

#include <stdexcept>

namespace switchyard {

/// SIGINT or SIGTERM ended work that can be gone on with. `main` prints what() and exits with
/// status 3.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace switchyard
