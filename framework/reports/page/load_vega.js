// Puts Vega together from its modules (or takes the whole library, where it came as one).
function loadVega() {
  const loaded = {};
  const require = (name) => {
    if (name === 'vega-selections') name = 'vega-selection'; // as the file is called
    if (!(name in vegaModules)) name = 'vega'; // has all of them
    if (!(name in loaded)) {
      const module = {exports: (loaded[name] = {})};
      vegaModules[name](module.exports, module, require);
    }
    return loaded[name];
  };
  const vega = Object.assign({}, ...Object.keys(vegaModules).map(require));
  for (const name of ['vega-transforms', 'vega-view-transforms', 'vega-encode']) {
    if (name in vegaModules) Object.assign(vega.transforms, require(name));
  }
  return vega;
}
