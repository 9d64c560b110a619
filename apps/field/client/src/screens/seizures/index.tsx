/** The screens of seizures and custody, in one piece that is loaded after the first screen stands (and is kept offline). */

import "../../i18n/behind.ts";
import { engine } from "../../engine/index.ts";
import type { FindRoute } from "../../ui/router.ts";
import { href } from "../../ui/router.ts";
import { Head, Notice } from "../../ui/parts.tsx";
import { CorrectForm } from "./correct.tsx";
import { ExhibitPage } from "./custody.tsx";
import { Flash, NewFlash } from "./flash.tsx";
import { SeizureForm } from "./form.tsx";
import { FindList } from "./list.tsx";
import { HandOverPage, OfferForm } from "./handover.tsx";
import { SeizurePage } from "./page.tsx";
import { SampleForm } from "./sample.tsx";
import { isTaken, PackageForm, StepForm } from "./steps.tsx";
import { useLists, w } from "./words.ts";

export { DecideFind } from "./decide.tsx";

export function FindRoom({ to }: { to: FindRoute | { readonly screen: "finds" } }) {
  useLists();
  if (to.screen === "finds") return <FindList />;
  if (to.screen === "flash" && to.id === "new") return <NewFlash of={to.page} />;
  const seizure = engine.finds.seizures.value.find((one) => one.id === to.id);
  switch (to.screen) {
    case "flash":
      return seizure ? <Flash seizure={seizure} /> : <Unknown />;
    case "seizure":
      if (!seizure) return <Unknown />;
      return to.page ? <SeizureForm seizure={seizure} page={to.page} step={to.step} /> : <SeizurePage seizure={seizure} />;
    case "package":
      return seizure ? <PackageForm seizure={seizure} /> : <Unknown />;
    case "offer":
      return <OfferForm report={to.id} />;
    case "exhibit": {
      const exhibit = engine.finds.exhibits.value.find((one) => one.id === to.id);
      if (!exhibit) return <Unknown />;
      if (to.page === "correct") return <CorrectForm exhibit={exhibit} />;
      if (to.page === "sample") return <SampleForm exhibit={exhibit} />;
      return isTaken(to.page) ? <StepForm exhibit={exhibit} step={to.page} /> : <ExhibitPage exhibit={exhibit} />;
    }
    case "handover": {
      const offer = engine.finds.hand_overs.value.find((one) => one.id === to.id);
      return offer ? <HandOverPage offer={offer} /> : <Unknown />;
    }
  }
}

function Unknown() {
  return (
    <main id="content">
      <Head title={w().page.title} up={href({ screen: "finds" })} />
      <Notice tone="warn" icon="warn">
        {w().page.not_found}
      </Notice>
    </main>
  );
}
