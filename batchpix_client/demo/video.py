"""What the demonstration asks of video: a clip of each scene, each with another camera."""

from batchpix_client.demo.plan import DEADLINE_SECONDS, Plan, Samples
from batchpix_client.jobs.video import Camera, LivingRegion, VideoJob

WATER_ENDING = "_water.png"
CLIPS = 3
SECONDS = 4.0


def plan_video(samples: Samples) -> list[Plan]:
    """Plan an orbit in a loop, a dolly zoom and a dolly in; water flows where there is any."""
    cameras = [
        ("orbit, in a loop", Camera.ORBIT, True),
        ("dolly zoom", Camera.DOLLY_ZOOM, False),
        ("dolly in", Camera.DOLLY_IN, False),
    ]
    plans = []
    pictures = (*samples.scenes, *samples.people)
    for photo, (caption, camera, loop) in zip(pictures, cameras, strict=False):
        water = samples.truth / f"{photo.stem}{WATER_ENDING}"
        living = [LivingRegion(mask=water, direction_degrees=0.0, speed=0.05)]
        flows = water.is_file()
        plans.append(
            Plan(
                caption=f"{caption}, and the water flows" if flows else caption,
                photos=(photo,),
                job=VideoJob(
                    camera=camera,
                    loop=loop,
                    seconds=SECONDS,
                    living=living if flows else (),
                    deadline_seconds=DEADLINE_SECONDS,
                ),
            )
        )
    return plans
