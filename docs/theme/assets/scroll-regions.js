// What scrolls sideways can be reached by the tab key. The theme makes such regions without it.
const updateScrollRegions = () => {
  for (const region of document.querySelectorAll("pre > code, .md-typeset__scrollwrap")) {
    if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
    else region.removeAttribute("tabindex");
  }
};
addEventListener("load", updateScrollRegions);
addEventListener("resize", updateScrollRegions);
