/* The scripts that `demo` writes. `@chankit@` stands for how this chankit is called. */

const PRELUDE = String.raw`
set -euo pipefail
cd "$(dirname "$0")"
chankit() { @chankit@ "$@"; }

n=0
# what was run, and what it printed (steps/)
run() {
  n=$((n + 1))
  printf '   $ chankit %s\n' "$*"
  chankit "$@" > "steps/$(printf %02d $n)-$1.json"
}
# the article's step, then what each could leave with now, then why the one acting is safe
step() { printf '\n%s\n' "$1"; }
safe() {
  printf '   %s\n   %s\n' "$(chankit status alice --brief)" "$(chankit status bob --brief)"
  printf '   safe: %s\n' "$1"
}
rm -rf alice alice-backup bob bob-backup wire steps again-alice again-bob cheat.json penalty.json first.json close.json timeout.json
mkdir wire steps
`;

export const UPDATE_SCRIPT = `#!/bin/sh
# Updating the balance of a payment channel, in the twenty steps of Vlad Stan's article:
# from (Alice 0.10 BTC, Bob 0) to (Alice 0.08, Bob 0.02). Then Alice cheats, and loses everything.
# The article leaves fees out, so the feerate is 0: such a commitment is not relayed, it is mined directly.
${PRELUDE}
step "Opening. Keys from fixed seeds, so that everybody sees the same bytes; the funding output is the opener's to make."
echo 0101010101010101010101010101010101010101010101010101010101010101 | run keygen alice --seed -
echo 0202020202020202020202020202020202020202020202020202020202020202 | run keygen bob --seed -
run open-channel alice --funding 0.1btc --channel-type static_remotekey --feerate 0 --min-feerate 0 --journal -o wire/
run accept-channel bob wire/0001-alice-open_channel.json --min-feerate 0 --journal -o wire/
run create-funding alice wire/0001-bob-accept_channel.json --outpoint "\${FUNDING:-8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0}" -o wire/
run sign-funding bob wire/0002-alice-funding_created.json -o wire/
run release-funding alice wire/0002-bob-funding_signed.json
run channel-ready alice -o wire/
run channel-ready bob -o wire/
run receive bob wire/0003-alice-channel_ready.json
run receive alice wire/0003-bob-channel_ready.json
safe "Alice released the funding only after Bob's signature of her commitment 0 was stored"

step "1. BuildPayMeFirstTx(alice): Alice builds Bob's next commitment: 0.08 to her plainly, 0.02 to Bob under the RSM contract"
run pay alice 0.02btc -o wire/
run build-commitment alice --owner remote
safe "nothing is signed yet"

step "2. Sign(payAliceFirstTx)"
run sign alice -o wire/
safe "she signs a transaction that pays her at once and makes Bob wait"

step "3. Send(payAliceFirstSignature): the two files in wire/"
safe "if Bob publishes it she has her 0.08 at once; if he is silent she publishes her own commitment 0 with 0.10"

step "4. Receive(payAliceFirstSignature): Bob takes in the proposal; a signature is all that came, no transaction"
run receive bob wire/0004-alice-pay.json
safe "reading changes nothing that is signed"

step "5. BuildPayOtherFirstTx(alice): Bob builds the same transaction from his own file"
run build-commitment bob --owner local
safe "it is the very transaction that Alice signed, byte for byte"

step "6. CheckSignature(payOtherFirstTx, payAliceFirstSignature)"
run verify-sig bob wire/0005-alice-commitment_signed.json --dry-run
safe "a wrong signature would end here, with his commitment 0 as good as before"

step "7. Store(payAliceFirstSignature)"
run verify-sig bob wire/0005-alice-commitment_signed.json
safe "now he holds two valid commitments and can publish the better one"

step "8. BuildRevokeCommitmentMsg(): Bob gives up state 01"
run make-revocation bob -o wire/
safe "state 01 gave him less, and state 02 is signed and stored"

step "9. Send(revokeMessage): the file in wire/"
safe "if Alice falls silent he publishes state 02"

step "10. ReceiveRevokeMsg(revokeMessage)"
run receive-revocation alice wire/0004-bob-revoke_and_ack.json
safe "she can now punish Bob's state 01; her own state 01 stays unrevoked, since she holds no signature of state 02"

step "11. BuildPayMeFirstTx(bob): Bob builds Alice's next commitment: 0.02 to him plainly, 0.08 to Alice under the RSM contract"
run build-commitment bob --owner remote
safe "never his own commitment: signing payAliceFirstTx for Alice would leave him no way to punish"

step "12. Sign(payBobFirstTx)"
run sign bob -o wire/
safe "it pays him at once and makes Alice wait"

step "13. Send(payBobFirstSignature): the file in wire/"
safe "he has revoked only the state that paid him less"

# How breaches happen in life: a copy of the folder, kept from before the new state was stored.
cp -R alice alice-backup

step "14. Receive(signatureBob): a signature is all that came"
safe "reading changes nothing that is signed"

step "15. BuildPayOtherFirstTx(bob): Alice builds the same transaction from her own file"
run build-commitment alice --owner local
safe "it is the very transaction that Bob signed, byte for byte"

step "16. CheckSignature(payOtherFirstTx, signatureBob)"
run verify-sig alice wire/0005-bob-commitment_signed.json --dry-run
safe "a wrong signature would end here, with her commitment 0 as good as before"

step "17. Store(signatureBob)"
run verify-sig alice wire/0005-bob-commitment_signed.json
safe "she holds state 02 and can publish it"

step "18. BuildRevokeCommitmentMsg(): Alice gives up state 01, in which she had 0.10"
run make-revocation alice -o wire/
safe "she holds a signed state 02: from now on publishing state 01 would cost her everything"

step "19. Send(revokeMessage): for Alice the payment is final"
safe "both hold state 02, and each can leave with it"

step "20. Receive(revokeMessage): for Bob the payment is final"
run receive-revocation bob wire/0006-alice-revoke_and_ack.json
safe "he can now punish Alice's state 01"

step "The cheat. Alice's own file refuses to publish state 01 …"
if chankit force-close alice --number 0; then exit 1; fi
step "… but the copy of her folder from before step 14 knows nothing of state 02, and publishes it:"
run force-close alice-backup -o cheat.json
printf '   %s\n' "$(chankit status alice-backup --brief)"

step "Bob recognises it, and takes everything with the secret that Alice gave away in step 18"
run penalty-tx bob --tx cheat.json --to bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 --feerate 2500 -o penalty.json
chankit penalty-tx bob --tx cheat.json --to bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 --feerate 2500 --text

step "Done. wire/ holds the messages, steps/ what each command printed, cheat.json and penalty.json the two transactions."
`;

export const ANCHORS_SCRIPT = `#!/bin/sh
# The same at a real feerate: a channel with anchors, both sides funded (Alice 0.06, Bob 0.04), payments both ways, each round
# five pipes. Alice opened, so she pays the commitments' fee and the anchors. Then Bob cheats.
${PRELUDE}
# A round: who changes something signs first, and each revokes when its next commitment is stored.
round() {
  printf '   $ %s signs, %s revokes, %s signs, %s revokes\n' "$1" "$2" "$2" "$1"
  chankit sign "$1" | chankit receive "$2" - > /dev/null
  chankit make-revocation "$2" | chankit receive "$1" - > /dev/null
  chankit sign "$2" | chankit receive "$1" - > /dev/null
  chankit make-revocation "$1" | chankit receive "$2" - > /dev/null
}

step "Opening: 0.10 BTC, of which 0.04 are Bob's"
echo 0101010101010101010101010101010101010101010101010101010101010101 | run keygen alice --seed -
echo 0202020202020202020202020202020202020202020202020202020202020202 | run keygen bob --seed -
chankit open-channel alice --funding 0.1btc --push 0.04btc --channel-type anchors --feerate 2500 --journal |
  chankit accept-channel bob - --journal |
  chankit create-funding alice - --outpoint "\${FUNDING:-8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0}" |
  chankit sign-funding bob - |
  chankit release-funding alice - > steps/funding.json
chankit channel-ready alice | chankit receive bob - > /dev/null
chankit channel-ready bob | chankit receive alice - > /dev/null
safe "each holds the other's signature of its own commitment 0"

step "Alice pays 0.01 BTC"
chankit pay alice 0.01btc | chankit receive bob - > /dev/null
round alice bob
safe "both hold commitment 1, and neither an unrevoked 0"

# How breaches happen in life: Bob keeps a copy from when he had more.
cp -R bob bob-backup

step "Bob pays 0.03 BTC, and before he hears of it Alice pays 0.005: two proposals cross"
chankit pay bob 0.03btc -o wire/ > /dev/null
chankit pay alice 0.005btc -o wire/ > /dev/null
run receive alice wire/0006-bob-pay.json
run receive bob wire/0007-alice-pay.json
safe "proposals move nothing: each still counts only on what the other has signed"

step "They sign, too, before either has heard the other's signature"
run sign alice -o wire/
run sign bob -o wire/
run verify-sig alice wire/0007-bob-commitment_signed.json
run verify-sig bob wire/0008-alice-commitment_signed.json
safe "each commitment carries what the other proposed; one's own proposal comes with the next signature"

step "Both revoke"
run make-revocation alice -o wire/
run make-revocation bob -o wire/
run receive-revocation bob wire/0009-alice-revoke_and_ack.json
run receive-revocation alice wire/0008-bob-revoke_and_ack.json
safe "each has given up a state only after it held the one that replaces it"

step "A second signature each brings the two commitments together"
round alice bob
safe "both hold commitment 3, and both say the same"

step "The cheat. Bob publishes the copy, in which he had more:"
run force-close bob-backup -o cheat.json
printf '   %s\n' "$(chankit status bob-backup --brief)"

step "Alice takes his output with the secret that he gave away; hers is plainly hers (to_remote)"
run penalty-tx alice --tx cheat.json --to bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 --feerate 2500 -o penalty.json
chankit penalty-tx alice --tx cheat.json --to bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 --feerate 2500 --text

step "Done."
`;

export const HTLCS_SCRIPT = `#!/usr/bin/env bash
# HTLCs over a channel with anchors: Alice offers three, Bob two, several in a round; one is fulfilled, one fails, the fee changes,
# the connection breaks in the midst of an exchange, and one HTLC times out on chain.
${PRELUDE}
# Whoever owes a signature or a revocation gives it, until nothing is owed.
settle() {
  for _ in 1 2 3; do
    for pair in "alice bob" "bob alice"; do
      set -- $pair
      if chankit status "$1" --json | grep -q '"sign"'; then printf '   $ %s signs\n' "$1"; chankit sign "$1" | chankit receive "$2" - > /dev/null; fi
      if chankit status "$2" --json | grep -q '"make-revocation"'; then printf '   $ %s revokes\n' "$2"; chankit make-revocation "$2" | chankit receive "$1" - > /dev/null; fi
    done
  done
}

step "Opening: 0.10 BTC, of which 0.04 are Bob's"
echo 0101010101010101010101010101010101010101010101010101010101010101 | run keygen alice --seed -
echo 0202020202020202020202020202020202020202020202020202020202020202 | run keygen bob --seed -
chankit open-channel alice --funding 0.1btc --push 0.04btc --channel-type anchors --feerate 2500 --journal |
  chankit accept-channel bob - --journal |
  chankit create-funding alice - --outpoint "\${FUNDING:-8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0}" |
  chankit sign-funding bob - |
  chankit release-funding alice - > steps/funding.json
chankit channel-ready alice | chankit receive bob - > /dev/null
chankit channel-ready bob | chankit receive alice - > /dev/null
safe "each holds the other's signature of its own commitment 0"

step "Alice offers three HTLCs and Bob two, in one round; their proposals cross"
# SHA256 of 32 bytes of 00, 01 and 02
H0=66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925
H1=72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793
H2=75877bb41d393b5fb8455ce60ecd8dda001d06316496b14dfa7f895656eeca4a
run add-htlc alice 0.005btc --payment-hash $H0 --cltv-expiry 500 -o wire/
run add-htlc alice 0.004btc --payment-hash $H1 --cltv-expiry 510 -o wire/
run add-htlc alice 0.003btc --payment-hash $H2 --cltv-expiry 520 -o wire/
run add-htlc bob 0.002btc --payment-hash $H1 --cltv-expiry 505 -o wire/
run add-htlc bob 0.001btc --payment-hash $H2 --cltv-expiry 515 -o wire/
for message in wire/*-alice-update_add_htlc.json; do chankit receive bob "$message" > /dev/null; done
for message in wire/*-bob-update_add_htlc.json; do chankit receive alice "$message" > /dev/null; done
settle
safe "every HTLC on each commitment has come with the peer's signature of its own transaction"

step "Bob fulfils the first, and fails the second; the opener raises the fee in between"
echo 0000000000000000000000000000000000000000000000000000000000000000 | run fulfill-htlc bob 0 --preimage - --height 450 -o wire/
run fail-htlc bob 1 -o wire/
run update-fee alice 3000 -o wire/
chankit receive alice wire/*-bob-update_fulfill_htlc.json > /dev/null
chankit receive alice wire/*-bob-update_fail_htlc.json > /dev/null
chankit receive bob wire/*-alice-update_fee.json > /dev/null
safe "Bob reveals the preimage only now that the HTLC is irrevocable on both sides"

step "Alice signs and Bob revokes, but the connection breaks: his revocation and his own signature are lost"
chankit sign alice | chankit receive bob - > /dev/null
chankit make-revocation bob > /dev/null
chankit sign bob > /dev/null
safe "whatever was lost is in an outbox, and no secret was released that the peer could do without"

step "They reconnect: each tells what it holds, and sends again what the other lacks, byte for byte, in the first order"
chankit reestablish alice -o wire/ > /dev/null
chankit reestablish bob -o wire/ > /dev/null
chankit reestablish alice wire/*-bob-channel_reestablish.json -o again-alice/
chankit reestablish bob wire/*-alice-channel_reestablish.json -o again-bob/
for message in again-bob/*.json; do chankit receive alice "$message" > /dev/null; done
for message in again-alice/*.json; do [ -e "$message" ] && chankit receive bob "$message" > /dev/null; done
settle
safe "two HTLCs are gone, the fee is the new one, three are in flight"

step "Bob falls silent. Alice publishes her commitment with its HTLC transactions; what he does not claim times out"
run force-close alice -o close.json
chankit inspect close.json --party alice --text | grep -A 6 offered_htlc | head -8
# By amount: two anchors, Bob's two HTLCs, then hers, output 4
if chankit htlc-tx alice --output-index 4 --height 519; then exit 1; fi
run htlc-tx alice --output-index 4 --height 520 -o timeout.json
chankit htlc-tx alice --output-index 4 --height 520 --text

step "Done."
`;

export const CLOSE_SCRIPT = `#!/bin/sh
# Both want to leave, and nobody has to wait out a delay: a mutual close (simple close) of a channel with anchors,
# Alice 0.06 and Bob 0.04, with what each has at every step. Then Bob wants it in the chain sooner, and pays more.
${PRELUDE}
step "Opening: 0.10 BTC, of which 0.04 are Bob's"
echo 0101010101010101010101010101010101010101010101010101010101010101 | run keygen alice --seed -
echo 0202020202020202020202020202020202020202020202020202020202020202 | run keygen bob --seed -
chankit open-channel alice --funding 0.1btc --push 0.04btc --channel-type anchors --feerate 2500 --journal |
  chankit accept-channel bob - --journal |
  chankit create-funding alice - --outpoint "\${FUNDING:-8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be:0}" |
  chankit sign-funding bob - |
  chankit release-funding alice - > steps/funding.json
chankit channel-ready alice | chankit receive bob - > /dev/null
chankit channel-ready bob | chankit receive alice - > /dev/null
safe "each can leave alone with its commitment 0, and would have to wait for what is its own"

step "1. shutdown: Alice says where she wants to be paid"
run close alice --address bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 -o wire/
run receive bob wire/0004-alice-shutdown.json
safe "nothing is signed; from now on she proposes no payment"

step "2. shutdown: Bob says where"
run close bob --script 0014000102030405060708090a0b0c0d0e0f10111213 -o wire/
run receive alice wire/0004-bob-shutdown.json
safe "no HTLC is in flight, so the balances are final; both commitments stay as good as before"

step "3. closing_complete: Alice signs a close for which she pays, 500 sat per kiloweight"
run close alice --feerate 500 -o wire/
run receive bob wire/0005-alice-closing_complete.json
safe "Bob could publish this close alone: it pays each side its whole balance, Alice's less the fee that she chose"

step "4. closing_sig: Bob signs the same transaction"
run close bob -o wire/
run receive alice wire/0005-bob-closing_sig.json
safe "both hold the close, and either can broadcast it; no new commitment is signed any more"
run close alice --tx -o first.json

step "5. Bob wants it in the chain sooner: a close of his own, for which he pays 2500 sat per kiloweight"
run close bob --feerate 2500 -o wire/
run receive alice wire/0006-bob-closing_complete.json
run close alice -o wire/
run receive bob wire/0006-alice-closing_sig.json
safe "the dearer close replaces the first (BIP 125); whichever is mined pays both, with no delay"
run close bob --tx -o close.json

step "Each recognises it: whose outputs, who pays the fee"
chankit inspect close.json --party alice --text
chankit check-tx close.json --party bob --text

step "Done. first.json and close.json are the two transactions; one of them will be mined."
`;
