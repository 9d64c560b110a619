/** The general part of a report: what, where, why. Filled in beforehand with what is usual for this kind of inspection. */

import { useSignal } from "@preact/signals";
import { engine } from "../../engine/index.ts";
import type { Header, Report } from "../../engine/types.ts";
import * as format from "../../i18n/format.ts";
import { named, words } from "../../i18n/index.ts";
import { type ChoiceField, CHOICES } from "../../rules/header.ts";
import { cleanText } from "../../rules/values.ts";
import { Confirm } from "../../ui/dialog.tsx";
import { Choices, Fault } from "../../ui/parts.tsx";
import { goOn } from "../../ui/router.ts";
import { header } from "./editing.ts";
import { Many, Single } from "./entries.tsx";
import type { Sheaf } from "./fill.tsx";
import { TextInput } from "./text.tsx";

export function General({ sheaf, insist }: { sheaf: Sheaf; insist: boolean }) {
  const w = words();
  const { report } = sheaf;
  const asking = useSignal(false);
  const begun = report.header.started_on_device_at;
  const discard = async (): Promise<void> => {
    await engine.discard(report.id);
    goOn({ screen: "fill", id: report.id }, { screen: "today" });
  };
  return (
    <>
      <h2 id="page-title" tabIndex={-1}>
        {w.form.general}
      </h2>
      <div class="card">
        <HeaderChoice report={report} field="selection_reason" required insist={insist} />
      </div>
      <div class="card">
        <HeaderSelect report={report} field="mode" required insist={insist} />
        <HeaderSelect report={report} field="place_type" required insist={insist} />
        <div class="field">
          <label for="header-place">{w.header.place}</label>
          <TextInput
            id="header-place"
            text={report.header.place ?? ""}
            typed={(text) => header(report, { place: cleanText(text).slice(0, 200) })}
            placeholder={w.header.place_hint}
            maxLength={200}
          />
        </div>
        <HeaderSelect report={report} field="direction" />
        <HeaderChoice report={report} field="channel" chips />
      </div>
      <Many report={report} part="subjects" />
      <Single report={report} part="transport" />
      <Single report={report} part="goods" />
      <Many report={report} part="participants" />
      <Many report={report} part="witnesses" />
      <p class="soft">
        {w.header.started_on_device_at}: {begun ? format.moment(begun) : w.report.none}
      </p>
      {report.state === "draft" && (
        <button type="button" class="danger" onClick={() => (asking.value = true)}>
          {w.form.discard}
        </button>
      )}
      {asking.value && (
        <Confirm
          title={w.form.discard_title}
          lead={w.form.discard_lead}
          act={w.form.discard}
          onAct={() => void discard()}
          close={() => (asking.value = false)}
        />
      )}
    </>
  );
}

interface HeaderFieldProps {
  readonly report: Report;
  readonly field: ChoiceField;
  readonly required?: boolean;
  readonly insist?: boolean;
  readonly chips?: boolean;
}

function patch(field: ChoiceField, value: string): Partial<Header> {
  return { [field]: value };
}

function label(field: ChoiceField, required: boolean): string {
  const w = words();
  return required ? `${w.header[field]} (${w.common.required})` : w.header[field];
}

/** A header field with few values: all of them in sight. A second tap on an optional one takes it back. */
export function HeaderChoice({ report, field, required = false, insist = false, chips = false }: HeaderFieldProps) {
  const w = words();
  const value = report.header[field] ?? "";
  const faulty = required && insist && !value;
  return (
    <div id={`header-${field}`} tabIndex={-1}>
      <Choices
        class={chips ? "chips" : ""}
        legend={label(field, required)}
        options={CHOICES[field].map((code) => ({ value: code, label: named(w.choices[field], code) }))}
        chosen={value ? [value] : []}
        choose={(code) => header(report, patch(field, code))}
        describedBy={faulty ? `header-${field}-fault` : undefined}
        faulty={faulty}
      />
      {!required && value && (
        <button type="button" class="bare" onClick={() => header(report, patch(field, ""))}>
          {w.form.clear}
        </button>
      )}
      {faulty && <Fault id={`header-${field}-fault`}>{w.faults.required}</Fault>}
    </div>
  );
}

/** A header field with many values that is usually right already: the phone's own picker. */
function HeaderSelect({ report, field, required = false, insist = false }: HeaderFieldProps) {
  const w = words();
  const value = report.header[field] ?? "";
  const id = `header-${field}`;
  const faulty = required && insist && !value;
  return (
    <div class="field">
      <label for={id}>{label(field, required)}</label>
      <select
        id={id}
        value={value}
        aria-invalid={faulty ? "true" : undefined}
        aria-describedby={faulty ? `${id}-fault` : undefined}
        onChange={(event) => header(report, patch(field, event.currentTarget.value))}
      >
        <option value="" />
        {CHOICES[field].map((code) => (
          <option key={code} value={code}>
            {named(w.choices[field], code)}
          </option>
        ))}
      </select>
      {faulty && <Fault id={`${id}-fault`}>{w.faults.required}</Fault>}
    </div>
  );
}
