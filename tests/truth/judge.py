"""What really happened, from the forwarder's log, held against what fyke says of the same capture."""

import collections

from forwarder import FIN, NAMES, SYN

CLASS_OF = {  # fyke's kinds; others (windows, conflicts) are no statement about a resend
    "capture_duplicate": "duplicate", "window_probe": "window probe", "keep_alive": "keep-alive",
    "syn_retransmission": "syn", "reordering": "reordering", "fast_retransmission": "recovery",
    "sack_retransmission": "recovery", "tail_loss_probe": "tail probe", "timeout_retransmission": "timeout",
    "go_back_n": "go-back", "fin_retransmission": "fin", "unknown_retransmission": "unknown"}
KERNEL = {"timeout": "timeout", "probe": "tail probe", "recovery": "recovery", "go_back": "go-back",
          "keep_alive": "keep-alive", "window_probe": "window probe", None: "not counted"}
HIDDEN = "no trace"  # a resend of bytes of which neither a copy nor a later byte had passed the tap
AGAIN = "before, a copy had passed"  # the copy lost last left no trace: the tap knows an earlier one only
RESENDS = ("recovery", "tail probe", "timeout", "go-back", "fin")


class Fact:
    """What is true of one captured frame."""

    def __init__(self, packet, frame, word, side=None):
        self.packet, self.frame, self.word, self.side = packet, frame, word, side


def word_of(packet, highest_captured, begun, ended):
    """The true class of the first captured frame of an emission; None for what is new."""
    if packet.kernel in ("keep_alive", "window_probe"):
        return KERNEL[packet.kernel]
    if packet.flags & SYN:
        if packet.copy > 1:
            return "syn" if begun else HIDDEN
        return None
    if not packet.data:
        if packet.flags & FIN and packet.old:
            return "fin" if ended else HIDDEN
        return None
    if packet.old:
        return HIDDEN if packet.end > highest_captured else KERNEL[packet.kernel]
    return "reordering" if packet.end <= highest_captured else None


def lost_copies(log):
    """packet → on which side of the tap the last earlier copy of its first byte that was lost, was lost."""
    spans = ([], [])
    result = {}
    for packet in log:
        if not packet.data:
            continue
        if packet.old:
            earlier = [span for span in spans[packet.side] if span.offset <= packet.offset < span.end]
            side = next((span.lost for span in reversed(earlier) if span.lost), None)
            result[packet] = AGAIN if side == "before" and any(span.frames for span in earlier) else side
        spans[packet.side].append(packet)
    return result


def facts(log):
    """frame → Fact, for every captured frame."""
    lost = lost_copies(log)
    by_frame = sorted((frame, place, packet) for packet in log for place, frame in enumerate(packet.frames))
    highest, begun, ended = [0, 0], [False, False], [False, False]
    result = {}
    for frame, place, packet in by_frame:
        word = word_of(packet, highest[packet.side], begun[packet.side], ended[packet.side]) if place == 0 else "duplicate" if packet.data or packet.flags & (SYN | FIN) else None
        result[frame] = Fact(packet, frame, word, lost.get(packet))
        highest[packet.side] = max(highest[packet.side], packet.end)
        begun[packet.side] |= bool(packet.flags & SYN)
        ended[packet.side] |= bool(packet.flags & FIN)
    return result


def said(rows):
    """frame → (class, side of the loss, row)"""
    result = {}
    for row in rows:
        word = CLASS_OF.get(row["kind"])
        if word is None:
            continue
        evidence = row["evidence"] or ""
        side = "beyond" if "lost beyond" in evidence else "before" if "lost before" in evidence else None
        result[row["frame"]] = (word, side, row)
    return result


class Sums:
    def __init__(self):
        self.confusion = collections.Counter()  # (truth, fyke)
        self.sides = collections.Counter()  # (truth, fyke)
        self.hidden = collections.Counter()  # (truth, fyke), where the tap had no trace
        self.wrong = []

    def add(self, other):
        self.confusion.update(other.confusion)
        self.sides.update(other.sides)
        self.hidden.update(other.hidden)
        self.wrong += other.wrong


def compare(name, log, rows, syn_resends):
    sums = Sums()
    truth, answers = facts(log), said(rows)
    for frame, fact in truth.items():
        word, side, row = answers.get(frame, ("nothing", None, None))
        true_word = fact.word or "nothing"
        if true_word == "syn" and word == "nothing" and syn_resends > 0:
            word, syn_resends = "syn", syn_resends - 1  # a counter only, no event
        if true_word == HIDDEN:
            sums.hidden[KERNEL[fact.packet.kernel], word] += 1
            continue
        if true_word == word == "nothing" or true_word == "nothing" and word == "duplicate" and not fact.packet.data:
            continue
        sums.confusion[true_word, word] += 1
        if true_word != word:
            sums.wrong.append((name, frame, NAMES[fact.packet.side], fact.packet.offset, fact.packet.length,
                               true_word, word, row["evidence"] if row else ""))
        if true_word in RESENDS and fact.side and fact.packet.data:
            sums.sides[fact.side, side or "nothing"] += 1
            if side != fact.side:
                sums.wrong.append((name, frame, NAMES[fact.packet.side], fact.packet.offset, fact.packet.length,
                                   "lost " + fact.side, "lost %s" % side, row["evidence"] if row else ""))
    return sums


BALANCE = (("recovery", "TCPFastRetrans"), ("go-back", "TCPSlowStartRetrans"), ("timers", "TCPTimeouts"),
           ("all resends", "RetransSegs"))


def balance(log, played, rows, syn_resends):
    """class → [the kernels' counters, fyke's, what left no trace at the tap]. `timers`: timeouts and tail probes, with data."""
    words = collections.Counter(CLASS_OF.get(row["kind"]) for row in rows)
    traceless = [packet for packet in log if packet.old and not packet.frames]
    traceless += {fact.packet for fact in facts(log).values() if fact.word == HIDDEN}
    unseen = collections.Counter(KERNEL[packet.kernel] for packet in traceless if packet.data)
    control = collections.Counter(KERNEL[packet.kernel] for packet in log if packet.old and not packet.data)
    sums = {}
    for word, counter in BALANCE:
        kernel = sum(side[counter] for side in played.counters) - control[word]
        fyke = words[word]
        if word == "timers":
            kernel += sum(side["TCPLossProbes"] for side in played.counters) - played.probes_with_news
            kernel -= control["timeout"] + control["tail probe"]
            fyke = words["timeout"] + words["tail probe"]
            unseen[word] = unseen["timeout"] + unseen["tail probe"]
        if word == "all resends":
            fyke = sum(words[each] for each in RESENDS + ("unknown",)) + syn_resends
            unseen[word] = len(traceless)
        sums[word] = [kernel, fyke, unseen[word]]
    return sums
