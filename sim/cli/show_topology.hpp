#pragma once

namespace CLI {
class App;
}

namespace switchyard {

/// Adds `topology` to the command `show`: counts, figures and a drawing of a network.
void add_show_topology(CLI::App& show);

}  // namespace switchyard
