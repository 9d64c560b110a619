/** Me: how the app looks and speaks, what the phone holds, who it belongs to, and the way out. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { engine } from "../engine/index.ts";
import type { Lang, Prefs, SignOut } from "../engine/types.ts";
import * as format from "../i18n/format.ts";
import { say, words } from "../i18n/index.ts";
import { useCommand, wordsFor } from "../ui/commands.ts";
import { Confirm } from "../ui/dialog.tsx";
import { Icon } from "../ui/icons.tsx";
import { announce } from "../ui/live.tsx";
import { Choices, Fault, Head, Meter } from "../ui/parts.tsx";
import { InstallHint } from "./install.tsx";
import { ChangePin } from "./pin.tsx";

export function Me() {
  const w = words().me;
  useEffect(() => void engine.refreshStorage(), []);
  return (
    <main id="content">
      <Head title={w.title} />
      <Person />
      <Looks />
      <Security />
      <Storage />
      <Device />
      <Leave />
    </main>
  );
}

function Person() {
  const w = words().me;
  const officer = engine.device.value?.officer;
  if (!officer) return null;
  return (
    <section class="card">
      <h2>{officer.name}</h2>
      <p class="soft tabular">{w.badge(officer.badge_no)}</p>
      <ul class="stack tight" aria-label={w.postings}>
        {engine.postings.value.map((posting) => (
          <li key={posting.id}>{say(posting.unit)}</li>
        ))}
      </ul>
    </section>
  );
}

function Looks() {
  const w = words().me;
  const { lang, text_size, theme } = engine.prefs.value;
  const entries = (labels: Record<string, string>): { value: string; label: string }[] =>
    Object.entries(labels).map(([value, label]) => ({ value, label }));
  return (
    <section class="card">
      <Choices
        class="chips"
        legend={w.language}
        options={entries({ vi: w.vietnamese, en: w.english })}
        chosen={[lang]}
        choose={(value) => engine.setPrefs({ lang: value as Lang })}
      />
      <Choices
        class="chips"
        legend={w.text_size}
        options={entries(w.sizes)}
        chosen={[text_size]}
        choose={(value) => engine.setPrefs({ text_size: value as Prefs["text_size"] })}
      />
      <Choices
        class="chips"
        legend={w.theme}
        options={entries(w.themes)}
        chosen={[theme]}
        choose={(value) => engine.setPrefs({ theme: value as Prefs["theme"] })}
      />
    </section>
  );
}

function Security() {
  const w = words().me;
  const changing = useSignal(false);
  return (
    <section class="card">
      <h2>{w.security}</h2>
      <p class="soft">{w.idle}</p>
      <button type="button" class="wide" onClick={() => engine.lockNow()}>
        <Icon name="lock" />
        {w.lock}
      </button>
      <button type="button" class="wide quiet" onClick={() => (changing.value = true)}>
        {words().pin.change_title}
      </button>
      {changing.value && <ChangePin close={() => (changing.value = false)} />}
    </section>
  );
}

function Storage() {
  const w = words().me;
  const { used, quota, photo_bytes } = engine.storage.value;
  const text = w.storage_used(format.bytes(used), format.bytes(quota));
  return (
    <>
      <section class="card">
        <h2>{w.storage}</h2>
        <p class="tabular">{text}</p>
        <Meter value={used} most={Math.max(quota, 1)} label={text} />
        <p class="soft tabular">{w.storage_photos(format.bytes(photo_bytes))}</p>
      </section>
      <InstallHint />
    </>
  );
}

function Device() {
  const w = words().me;
  const device = engine.device.value;
  if (!device) return null;
  const rows = [
    [w.device_name, device.name],
    [w.enrolled, format.day(device.enrolled_at)],
    [w.app_version, device.app_version],
    [w.device_id, device.device_id],
    [w.server_key, device.server_key_id],
  ];
  return (
    <section class="card">
      <h2>{w.device}</h2>
      <dl class="facts">
        {rows.map(([name, value]) =>
          value ? (
            <>
              <dt>{name}</dt>
              <dd class="tabular">{value}</dd>
            </>
          ) : null,
        )}
      </dl>
    </section>
  );
}

function Leave() {
  const w = words().me;
  const asking = useSignal(false);
  const refused = useSignal<SignOut | null>(null);
  const { problem, run } = useCommand();
  const leave = (): void => {
    asking.value = false;
    void run(async () => {
      refused.value = await engine.signOut();
    });
  };
  const said =
    refused.value && !refused.value.done
      ? w.sign_out_refused(refused.value.waiting, refused.value.photos)
      : problem.value !== null
        ? wordsFor(problem.value)
        : "";
  useEffect(() => {
    if (said) announce(said);
  }, [said]);
  return (
    <div class="stack">
      <button type="button" class="danger wide" onClick={() => (asking.value = true)}>
        {w.sign_out}
      </button>
      {said && <Fault>{said}</Fault>}
      {asking.value && (
        <Confirm
          title={w.sign_out_title}
          lead={w.sign_out_lead}
          act={w.sign_out_do}
          onAct={leave}
          close={() => (asking.value = false)}
        />
      )}
    </div>
  );
}
