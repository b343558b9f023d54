"""The game of vid2vid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from ganlab import Batch, DataFacts, GANModule, Latents, Views
from ganlab.bounds import Natural, Steps, Weight
from ganlab.contracts import Discriminator, Factory, Generator, Loss, Scores, WeightedRegularizer
from ganlab.data.reduction import reduce_images, reduce_inputs
from ganlab.data.step_batch import StepBatch
from ganlab.games.growing import enlarge
from ganlab.schedules import Scheduled
from ganlab_video.clips import Clip, is_clip, last_frames
from ganlab_video.film_schedule import FilmStage, film_schedule
from ganlab_video.first_frames import FirstFrames
from ganlab_video.frame_inputs import frame_inputs, frames_of_films, stack_of_frames
from ganlab_video.generator import EXAMPLE_FACTS, FilmGenerator, Frame
from ganlab_video.judging import FilmDisplays, Judging
from ganlab_video.motion import FlowSource, flows_of
from ganlab_video.region import region_of
from ganlab_video.terms import features_apart, motion_terms

_OF_BOTH = frozenset({"real_images", "fake_images", "random", "discriminator", "generator"})


class Vid2Vid(GANModule):
    """Films from films of maps, frame by frame (Wang et al., 2018).

    The generator draws each frame from the maps and from the frames that it drew before, and keeps parts of the last
    one, moved. A discriminator judges single frames beside their maps, others judge films, of neighbouring frames and
    of frames farther apart, beside their motion. In one step, a window of each film is made from its first frame to its
    last; every `update_frames` frames both players are updated, and the frames before are taken as they are, so that no
    gradient goes back further. A step ends with its window, so that a checkpoint never lies inside one. With
    `finer_kimg` small films are learned first, by the coarsest network, and each finer one joins later.

    `perceptual_matching`, the published term of VGG19, is a regularizer; it sees frames and what was drawn anew.

    Args:
        generator: maps and frames before to a frame.
        discriminator: a frame and the stack of what it is made from to logits.
        loss: what the players minimise; summed over the scales of a discriminator, as in the authors' code.
        facts: facts of the data.
        film_discriminator: frames beside each other, and their motion, to logits; one is built for each of
            `film_scales`. Null for no judge of films.
        film_frames: how many frames such a judge sees.
        film_scales: how many of them there are: the second sees every `film_frames`-th frame, and so on.
        region: classes, by their numbers in the first map, around which a square of each frame is judged as well, such
            as those of a face. Frames without them count nothing there.
        region_discriminator: such a square and that of the stack of what it is made from to logits.
        region_share: sides of the square, as a share of the frames' smaller side.
        region_weight: weight of the terms of this judge for the generator, beside those of other judges.
        regularizers: penalties that join a player's terms.
        first_frame: the first frame is `made` of its map, by the generator, or as many as it looks back at are
            `given`, in sampling too, where `first_from` may give them instead.
        flow: where the motion of reals is known from: the `data`, a network of torchvision, or `none`.
        flow_weights: a file of torchvision's weights of that network, where it is not where torch keeps its downloads.
        adversarial: weight of the loss in the generator's terms; the authors' is that of 2 for `lsgan`.
        matching: weight of the distance to the reals' features in the discriminators.
        flow_matching: weight of the distance of the generator's flow to the known one.
        flow_warping: weight of the distance of reals to those before, moved by the generator's flow.
        consistency: weight of the distance of fakes to those before, moved by the known flow.
        mask: weight of how much is drawn anew where the motion is known, for `first_frame: made`.
        first_length: frames of the windows at the start; null for all that the data give.
        doubled_every_kimg: after so many thousands of films the windows become twice as long, as far as there are
            frames; they begin anew with each finer scale.
        finer_kimg: after so many thousands of films the next finer scale of the generator joins, one moment for each;
            until then films are as much smaller, and a discriminator of several scales leaves out its finest ones.
            Empty for all scales from the start.
        fixed_kimg: for so many thousands of films after each finer scale has joined, the coarser ones are not trained;
            empty for no such time.
        update_frames: how many frames are made in an update.
        backward_frames: how many frames a gradient goes through, at most those of an update.
    """

    provides: ClassVar[Mapping[str, frozenset[str]]] = {"discriminator": _OF_BOTH, "generator": _OF_BOTH}
    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "vid2vid", **FilmGenerator.example},
        "discriminator": {"name": "multiscale", "width": 2, "layers": 2},
        "film_discriminator": {"name": "multiscale", "width": 2, "layers": 2},
        "film_frames": 2,
        "loss": "lsgan",
        "update_frames": 2,
        "region": [2],
        "region_discriminator": {"name": "multiscale", "width": 2, "layers": 2, "scales": 1},
        "region_share": 0.5,
        "first_length": 2,
        "doubled_every_kimg": 0.016,
    }
    example_facts: ClassVar[DataFacts] = EXAMPLE_FACTS

    def __init__(
        self,
        generator: Generator,
        discriminator: Factory[Discriminator],
        loss: Loss,
        facts: DataFacts,
        film_discriminator: Factory[Discriminator] | None = None,
        film_frames: Annotated[int, Ge(2), Le(100)] = 3,
        film_scales: Annotated[int, Ge(1), Le(20)] = 2,
        region: Sequence[Natural] = (),
        region_discriminator: Factory[Discriminator] | None = None,
        region_share: Annotated[float, Gt(0), Le(1)] = 0.25,
        region_weight: Annotated[float, Ge(0)] = 2.0,
        regularizers: Sequence[WeightedRegularizer] = (),
        first_frame: Literal["made", "given"] = "made",
        flow: FlowSource = "data",
        flow_weights: str | None = None,
        adversarial: Annotated[Scheduled, Ge(0)] = 1.0,
        matching: Weight = 10.0,
        flow_matching: Weight = 10.0,
        flow_warping: Weight = 10.0,
        consistency: Weight = 10.0,
        mask: Weight = 1.0,
        first_length: Steps | None = None,
        doubled_every_kimg: Annotated[float, Gt(0)] | None = None,
        finer_kimg: Sequence[Annotated[float, Gt(0)]] = (),
        fixed_kimg: Sequence[Annotated[float, Ge(0)]] = (),
        update_frames: Steps = 1,
        backward_frames: Steps = 1,
    ) -> None:
        super().__init__()
        self.generator, self.loss, self.regularizers = generator, loss, regularizers
        self.image_shape, self.of_frame = facts.image_shape, frame_inputs(facts)
        self.flows = flows_of(flow, facts, flow_weights)
        self.past: int = getattr(generator, "past", 0)
        self._first: FirstFrames | None = None
        self.first_frame, self.given = first_frame, self.past if first_frame == "given" else 0
        films = FilmDisplays(film_frames, 0 if film_discriminator is None else film_scales, self.flows is not None)
        around = region_of(self.of_frame, region, region_share, region_weight, there=region_discriminator is not None)
        self.judging = Judging(self.past, getattr(generator, "moves", False), films, around)
        judges = self.judging.judges(
            self.image_shape, self.of_frame, discriminator, film_discriminator, region_discriminator
        )
        self.discriminator = nn.ModuleDict(judges)
        self.adversarial, self.matching, self.mask = adversarial, matching, mask
        self.flow_matching, self.flow_warping, self.consistency = flow_matching, flow_warping, consistency
        self.update_frames, self.backward_frames = update_frames, backward_frames
        lengths = facts.frames, self.given, first_length, doubled_every_kimg
        self.schedule = film_schedule(*lengths, getattr(generator, "scales", 1), finer_kimg, fixed_kimg)

    # ---------------------------------------------------------------- training

    @property
    def stage(self) -> FilmStage:
        """The stage of the current step."""
        return self.schedule.stage(self.clock.images_seen)

    @property
    def trained_stage(self) -> FilmStage:
        """The stage of the last step: samples are made by networks that were trained."""
        return self.schedule.stage(self.clock.before_step)

    def step_frames(self, images_seen: int) -> int | None:
        """Frames of the windows at this moment: those of the start, doubled at its times."""
        return self.schedule.stage(images_seen).frames

    def step_resolution(self, images_seen: int) -> int | None:
        """The larger side of frames, as far as the scales of this moment draw; None without growth."""
        return self._side(self.schedule.stage(images_seen)) if self.schedule.grows else None

    def moments(self, images: int) -> Sequence[int]:
        """The start, where windows become longer than before, and where scales join or are set free."""
        return self.schedule.novelties(images)

    def scalars_now(self) -> Mapping[str, float]:
        """The number of scales that draw and the resolution of what they draw, where scales join."""
        if not self.schedule.grows:
            return {}
        stage = self.trained_stage
        return {"growth/scales": stage.scales, "growth/resolution": self._side(stage)}

    def remark(self, images: int) -> str | None:
        """Whether the training ends before the finest scale has joined."""
        joins = self.schedule.joins
        if not joins or images > joins[-1]:
            return None
        return (
            f"the training ends at {images / 1000:g} kimg, and the last finer scale joins at {joins[-1] / 1000:g}: "
            "raise 'kimg', or lower 'architecture.finer_kimg'"
        )

    def training_step(self, step: StepBatch, batch_idx: int) -> None:
        """One round; at its end optimizers forget what is of other scales, before a checkpoint, where these change."""
        super().training_step(step, batch_idx)
        before, now = self.trained_stage, self.stage
        joined, freed = before.scales != now.scales, before.fixed != now.fixed
        for player, optimizer in self.player_optimizers.items():
            if joined or (freed and player == "generator"):
                optimizer.state.clear()

    def play(self, batches: Sequence[Batch]) -> None:
        """Make each film from its first frame on; both players learn from every few frames."""
        for batch in batches:
            for frame, clip in self._clips(batch):
                for player in self.player_names:
                    self.update(player, self.terms_of(player), clip.as_batch(batch, frame))

    def discriminator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        """Tell reals from fakes, in frames and in films."""
        clip = self._clip_of(batch)
        terms: dict[str, Tensor] = {}
        for display in self.judging.displays(clip, clip.fakes, clip.raws, batch.labels):
            judge = self.discriminator[display.name]
            scores, *of_fakes = (display.judged(judge, images) for images in (display.reals, *display.fakes))
            losses = [display.counted(self._loss, scores, each) for each in of_fakes]
            terms[display.term] = torch.stack(losses).sum()
        return {**terms, **self.penalties("discriminator", self._views(batch, clip, clip.fakes, clip.raws))}

    def generator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        """Make frames and films that look real, and move as the reals do."""
        clip = self._clip_of(batch)
        made = self._made(self.generator, clip)
        fakes, raws = (torch.stack([getattr(frame, name) for frame in made], dim=1) for name in ("image", "raw"))
        terms, apart = {}, []
        for display in self.judging.displays(clip, fakes, raws, batch.labels):
            judge = self.discriminator[display.name]
            with torch.no_grad():
                scores = display.judged(judge, display.reals)
            judged = [display.judged(judge, images) for images in display.fakes]
            losses = [display.counted(self._loss_of_generator, scores, each) for each in judged]
            terms[display.term] = self.adversarial * display.weight * torch.stack(losses).sum()
            if self.matching:
                apart += [display.weight * display.counted(features_apart, each, scores) for each in judged]
        if apart:
            terms["matching"] = self.matching * torch.stack(apart).sum()
        weights = {"flow": self.flow_matching, "warping": self.flow_warping, "consistency": self.consistency}
        weights["mask"] = self.mask if self.first_frame == "made" else 0.0
        terms |= {name: weights[name] * value for name, value in motion_terms(clip, made, fakes).items()}
        return {**terms, **self.penalties("generator", self._views(batch, clip, fakes, raws))}

    def show_batch(self, batch: Batch) -> None:
        """The frames of the whole batch."""
        self._made(self.generator, self._clip_of(batch))

    # ---------------------------------------------------------------- sampling

    def made_from(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Also the first real frames, where these are given."""
        return ("images",) if self.given and options.get("first_from") is None else ()

    def render(self, latents: Latents, *, first_from: str | None = None, averaged: bool = True) -> Tensor:
        """Films (N, T, C, H, W) of the inputs, as long as these.

        Args:
            latents: as `draw` makes them.
            first_from: a run, or a generator's file, that makes first frames of the same maps and sizes: as many as are
                given in training, or one. A relative path starts where the training was started.
            averaged: use the averaged weights.
        """
        generator = self.network("generator", averaged)
        stage = self.trained_stage
        inputs, side = self._at_stage(latents.inputs, stage), self._side(stage)
        frames: list[Tensor] = []
        if first_from is not None:
            assert latents.random is not None
            made = self._maker(first_from).make(latents.inputs, latents.random, self.given or 1)
            frames = [reduce_images(frame, side) for frame in made]
        elif self.given:
            frames = list(inputs["images"][:, : self.given].unbind(1))
        for frame in range(len(frames), frames_of_films(inputs, self.of_frame)):
            maps = stack_of_frames(inputs, self.of_frame, range(frame - self.past, frame + 1))
            frames.append(self._next(generator, maps, frames, stage).image)
        films = torch.stack(frames, dim=1)
        return enlarge(films.flatten(0, 1), max(self.image_shape[1:])).unflatten(0, films.shape[:2])

    # ---------------------------------------------------------------- inside

    def _maker(self, source: str) -> FirstFrames:
        """What makes first frames; it is read once."""
        if self._first is None or (self._first.source, self._first.device) != (source, self.device):
            self._first = FirstFrames(source, self.image_shape, self.of_frame, self.device)
        return self._first

    def _side(self, stage: FilmStage) -> int:
        """The larger side of frames that the scales of a stage draw."""
        return max(self.image_shape[1:]) >> (self.schedule.scales - stage.scales)

    def _at_stage(self, inputs: Mapping[str, Tensor], stage: FilmStage) -> dict[str, Tensor]:
        """Inputs of samples at the resolution of a stage."""
        side, whole = self._side(stage), max(self.image_shape[1:])
        smaller = reduce_inputs(dict(inputs), self.facts, whole // side)
        return smaller | ({"images": reduce_images(inputs["images"], side)} if "images" in inputs else {})

    def _clips(self, batch: Batch) -> Any:
        """The frames at which updates begin, each with its clip; what a clip has made is what the next goes on from."""
        reals = batch.images
        flows = None if self.flows is None else self.flows(reals, batch.inputs)
        remembered = max(self.past, 1, *self.judging.films.spans)
        made = reals[:, : self.given]
        for start in range(self.given, reals.shape[1], self.update_frames):
            end = min(start + self.update_frames, reals.shape[1])
            kept = made[:, max(0, made.shape[1] - remembered) :]
            since = start - kept.shape[1]
            nothing = reals[:, :0]
            clip = Clip(
                reals=reals[:, since:end],
                made=kept,
                maps=stack_of_frames(batch.inputs, self.of_frame, range(start - self.past, end)),
                flows=None if flows is None else flows[:, since:end],
                fakes=nothing,
                raws=nothing,
            )
            with torch.no_grad():
                frames = self._made(self.generator, clip)
            clip.fakes = torch.stack([frame.image for frame in frames], dim=1)
            clip.raws = torch.stack([frame.raw for frame in frames], dim=1)
            yield start, clip
            made = torch.cat([kept, clip.fakes], dim=1)

    def _clip_of(self, batch: Batch) -> Clip:
        """What a batch stands for; of whole films the first clip."""
        if is_clip(batch):
            return Clip.of_batch(batch)
        clip: Clip = next(self._clips(batch))[1]
        return clip

    def _made(self, generator: Any, clip: Clip) -> list[Frame]:
        """The frames of a clip, one after the other."""
        frames = list(clip.made.unbind(1))
        made: list[Frame] = []
        for index in range(clip.reals.shape[1] - clip.before):
            if index % self.backward_frames == 0:
                frames = [frame.detach() for frame in frames]
            made.append(self._next(generator, clip.maps[:, index : index + self.past + 1], frames, self.stage))
            frames.append(made[-1].image)
        return made

    def _next(self, generator: Any, maps: Tensor, frames: Sequence[Tensor], stage: FilmStage) -> Frame:
        """The frame behind these; the first one is drawn from its map alone."""
        growth = {"scales": stage.scales, "fixed": stage.fixed} if self.schedule.grows else {}
        if not self.past:
            alone: Frame = generator(maps, **growth)
            return alone
        none = maps.new_zeros(maps.shape[0], 0, self.image_shape[0], *maps.shape[-2:])
        before = torch.stack(list(frames[-self.past :]), dim=1) if frames else none
        made: Frame = generator(maps, last_frames(before, self.past), raw_only=not frames, **growth)
        return made

    def _loss(self, reals: Scores, fakes: Scores) -> Tensor:
        pairs = zip(reals.scales, fakes.scales, strict=True)
        return torch.stack([self.loss.discriminator(real, fake) for real, fake in pairs]).sum()

    def _loss_of_generator(self, reals: Scores, fakes: Scores) -> Tensor:
        seen = reals.scales if getattr(self.loss, "needs_real_logits", False) else (None,) * len(fakes.scales)
        pairs = zip(seen, fakes.scales, strict=True)
        return torch.stack([self.loss.generator(real, fake) for real, fake in pairs]).sum()

    def _views(self, batch: Batch, clip: Clip, fakes: Tensor, raws: Tensor) -> Views:
        """What regularizers see: single frames, and beside them those that were drawn anew."""
        moves = getattr(self.generator, "moves", False)
        made = torch.cat([fakes, raws], dim=1) if moves else fakes
        reals = torch.cat([clip.new_reals] * 2, dim=1) if moves else clip.new_reals
        return Views(
            real_images=reals.flatten(0, 1),
            fake_images=made.flatten(0, 1),
            random=batch.random,
            discriminator=self.discriminator,
            generator=self.generator,
        )
