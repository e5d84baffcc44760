import { html, type TemplateResult } from 'lit';
import { duration, percent } from '../../shared/format.js';
import { activityNames, shares, type Profile } from '../../shared/profile.js';

/** Where a run's time went: what it was spent on, the longest first. */
export function timeTable(profile: Profile): TemplateResult {
  return html`
    <details data-field="time">
      <summary>Where the time went</summary>
      <table class="details">
        <caption class="unseen">
          Where the time went
        </caption>
        <tbody>
          ${shares(profile).map(
            ({ activity, seconds, part }) => html`
              <tr data-activity=${activity}>
                <th scope="row">${activityNames[activity]}</th>
                <td class="value number">${duration(seconds)}</td>
                <td class="value number">${percent(part)}</td>
                <td class="share"><meter min="0" max="1" .value=${part} aria-hidden="true"></meter></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
      <p class="muted">Time of the engine’s main thread, until the last checkpoint of a run that has not ended.</p>
    </details>
  `;
}
