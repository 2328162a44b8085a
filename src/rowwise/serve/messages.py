"""What requests and answers hold, as pydantic models: they check, and they are documented."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from rowwise.serve.limits import Limits
from rowwise.text.wording import counted

Rule = Literal["error", "lower", "digits", "subword", "mean", "random", "zero"]


class Request(BaseModel):
    """A request: nothing is converted, and nothing unknown is ignored."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Neighbor(BaseModel):
    """A word that is near."""

    word: str
    cosine: float = Field(ge=-1, le=1, description="Rounded to six digits.")


class WordNeighbors(BaseModel):
    """A word, and those that are near."""

    word: str
    neighbors: list[Neighbor] = Field(description="Best first.")


class NeighborsAnswer(BaseModel):
    """The neighbours of each word, in the order of the request."""

    results: list[WordNeighbors]


class AnalogyAnswer(BaseModel):
    """The words nearest to a sum of words."""

    formula: str
    neighbors: list[Neighbor] = Field(description="Best first.")


class WordShare(BaseModel):
    """A word of a text, and its share in the decision."""

    word: str = Field(description="As the classifier reads it, in lower case.")
    start: int = Field(ge=0, description="Its first character, counted in code points.")
    end: int = Field(ge=0, description="The character after its last one.")
    share: float = Field(
        ge=-1, le=1, description="How much less probable the label is without this word."
    )


class Prediction(BaseModel):
    """The label of a text."""

    label: str
    probabilities: dict[str, float]
    words: list[WordShare] | None = Field(None, description="With `explain` only.")


class PredictAnswer(BaseModel):
    """The label of each text, in the order of the request."""

    predictions: list[Prediction]


class EmbedAnswer(BaseModel):
    """The row of each word, in the order of the request."""

    columns: int
    rows: list[list[float]]


class InfoAnswer(BaseModel):
    """What is served."""

    kind: Literal["vectors", "classifier"]
    name: str
    version: str = Field(description="Of rowwise.")
    words: int
    columns: int
    subwords: bool = Field(description="Whether words without a row get one of their pieces.")
    labels: list[str] | None = Field(description="Of a classifier.")
    endpoints: list[str]
    limits: dict[str, float]


class HealthAnswer(BaseModel):
    """That the server answers."""

    status: Literal["ok"]


class FieldErrorAnswer(BaseModel):
    """What is wrong with one field."""

    pointer: str = Field(description="JSON Pointer to the field, such as #/words/3.")
    detail: str


class ProblemAnswer(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="A short name that programs can compare.")
    errors: list[FieldErrorAnswer] | None = None


class Asked(NamedTuple):
    """What is asked of an endpoint: how its body is checked, and how it is documented."""

    adapter: TypeAdapter[Any]
    schema: dict[str, Any]


def whole(value: Any) -> Any:
    """3.0 as 3: to JSON Schema it is an integer, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def requests(limits: Limits) -> dict[str, Asked]:
    """What the body of a request may be, for each path that takes one."""
    Text = Annotated[str, Field(max_length=limits.characters)]
    Word = Annotated[str, Field(min_length=1, max_length=limits.characters)]
    Words = Annotated[list[Word], Field(min_length=1, max_length=limits.batch)]
    Texts = Annotated[list[Text], Field(min_length=1, max_length=limits.batch)]
    Count = Annotated[int, Field(ge=1, le=limits.k), BeforeValidator(whole)]

    class NeighborsRequest(Request):
        """Words, each a query of its own."""

        words: Words
        k: Count = Field(min(10, limits.k), description="How many words are wanted for each.")

    class AnalogyRequest(Request):
        """Words with + and - between them; one with spaces or signs stands in quotes."""

        formula: Word = Field(examples=["king - man + woman"])
        k: Count = Field(min(10, limits.k), description="How many words are wanted.")

    class PredictRequest(Request):
        """Texts to tell the labels of."""

        texts: Texts
        explain: bool = Field(
            False,
            description="Whether to tell each word's share in the decision, for "
            f"{counted(limits.explained, 'text')} at most.",
        )

    class EmbedRequest(Request):
        """Words to get the rows of."""

        words: Words
        oov: Rule | None = Field(
            None,
            description="What to do for a word without a row: a rule of Vectors.get. By default "
            "'subword' where the vectors hold subwords, otherwise 'error'.",
        )

    models: dict[str, type[Request]] = {
        "/neighbors": NeighborsRequest,
        "/analogy": AnalogyRequest,
        "/predict": PredictRequest,
        "/embed": EmbedRequest,
    }
    return {
        path: Asked(TypeAdapter(model), model.model_json_schema()) for path, model in models.items()
    }
