"""The person at a client: is shown a question, and answers it as told beforehand. Knows no client."""

import asyncio
from typing import Any

READ_SECONDS = 1.1
"""How long the person looks at a question before a yes: the server takes one that comes in less than
a second for a machine's. The only wait here that no event could end."""


class Person:
    """Declines until told otherwise."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        """Each question that was shown, the newest last: the parameters of `elicitation/create`."""
        self._answer: dict[str, Any] = {"action": "decline"}
        self._after = 0.0

    def will(self, action: str, after: float = 0.0, **content: str) -> None:
        """From now on gives this answer, `after` so many seconds."""
        self._answer = {"action": action} | ({"content": content} if content else {})
        self._after = after

    def will_say_yes(self) -> None:
        self.will("accept", after=READ_SECONDS, answer="yes")

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """What a client does with a question: shows it, and gives back an `ElicitResult` in its JSON form."""
        self.asked.append(question)
        answer = self._answer
        await asyncio.sleep(self._after)
        return answer
