import "uplot/dist/uPlot.min.css";
import "./app.css";
import { render } from "preact";
import { App } from "./app";

document.body.querySelector("noscript")?.remove();
render(<App />, document.body);
