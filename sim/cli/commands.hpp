#pragma once

namespace CLI {
class App;
}

namespace switchyard {

// Each adds one subcommand to the program. What it throws, main() turns into an exit status.

void add_run(CLI::App& program);        ///< predict an experiment
void add_validate(CLI::App& program);   ///< replay published results, show errors
void add_calibrate(CLI::App& program);  ///< fit a profile to measured kernels
void add_compare(CLI::App& program);    ///< a measured step beside the predicted one
void add_check(CLI::App& program);      ///< read an experiment and say what it would run
void add_show(CLI::App& program);       ///< look at a model or a system of the catalogs
void add_net(CLI::App& program);        ///< time collectives on a network
void add_execute(CLI::App& program);    ///< run MoE layers for real, beside the prediction
void add_fit(CLI::App& program);        ///< fit a device's constants to an experiment's fit rows
void add_fit_gemm(CLI::App& fit);       ///< `fit gemm`: fit a GPU's products to measured times
void add_fit_layers(CLI::App& fit);     ///< `fit layers`: fit MoE layers to measured times
void add_fit_links(CLI::App& fit);      ///< `fit links`: fit links to measured transfers
void add_fit_steps(CLI::App& fit);      ///< `fit steps`: fit what only whole steps show
void add_fit_routing(CLI::App& fit);  ///< `fit routing`: fit routers to published loads and repeats
void add_import(CLI::App& program);   ///< a foreign model description as a model file
void add_schema(CLI::App& program);   ///< JSON Schema of experiment files

}  // namespace switchyard
