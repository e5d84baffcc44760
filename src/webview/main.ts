import { App } from './app.js';
import { connect } from './connection.js';

// The page's script stands behind the element it brings to life.
const app = document.querySelector('iw-app') as App;
app.start(
  connect((message) => {
    app.receive(message);
  }),
);
